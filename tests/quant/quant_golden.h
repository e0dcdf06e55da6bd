/* quant_golden.h - SHA-256 of the float32 values of 64 decoded blocks of each type, from PyPI gguf 0.17.1.
 * Written by tests/oracle/quant/quant.py --golden; test_quant.c makes the same blocks. */
#ifndef QUANT_GOLDEN_H
#define QUANT_GOLDEN_H

static const struct {
  unsigned type;
  int halves[2]; /* byte offsets of the half-precision scales, -1: none */
  const char *sha256;
} quant_golden[] = {
    {2, {0, -1}, "0a0505a70b5e739a194ee5df6ce8934ba6d7a096d2ac537f6459dd1314972f06"},
    {3, {0, 2}, "0ee1bce9252c5412c5a44a8a7f727facbce94631bdadecce4499747c68638e9b"},
    {6, {0, -1}, "b4b5d426adf09833ea7e75a1c8e5fa18686aa0114f19d38944e1af8163f798b2"},
    {7, {0, 2}, "0caa03f48026fe219597042692ae0ebd0f7e043fc81954afa050c54af2149caa"},
    {8, {0, -1}, "3c84052537ba2f35cd93ca44d0cccccd254b5837f120a54e56c5f709c0f41512"},
    {10, {80, 82}, "25b19d554d23b7bf1a103d5643c117f7c871364d484673f2477150cf1a25eb53"},
    {11, {108, -1}, "a71f2ae2413a3109ce085ab4bc9b4a3785752f69277af72bf47942de583b191f"},
    {12, {0, 2}, "0ac99aa337b1a760d384ab68d8b5d3d1590899382beed4a52ba2d221d1c5e765"},
    {13, {0, 2}, "11f6af64ad72dd3545a527518ef41d377923bcdc904b979a59736fbc75e91952"},
    {14, {208, -1}, "8dc08edec4a9fd7322b3ff239128a09b377621c5b78d6c74cb60520f5898ccd0"},
    {20, {0, -1}, "46784ef7232c09f18eba4c635e42d7ef25caa59f519164e47ab0b2220eda666d"},
    {23, {0, -1}, "a340672d95be22fc2abe5ababc333ae910334ba5049d7feb72972c2515dcacd3"},
};

#endif

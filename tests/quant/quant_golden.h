/* quant_golden.h - SHA-256 of the float32 values of 64 decoded blocks of each type, from PyPI gguf 0.19.0.
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
    {16, {0, -1}, "5ecebec23922e4dcf379dc6bc2e2d94e4ad40572516fe229a255f371d423330f"},
    {17, {0, -1}, "b158aeb4c94831d009f4945bb2c595e1c508904c755da7a219472a1e5dd91c8e"},
    {22, {0, -1}, "6300051cf15436680a984bd3cf101cd49af0e0bcea23ab665bdaa978adac3236"},
    {18, {0, -1}, "849b017fe34903129f23ee069ae4d0bb4d8cc2276803124e648e3dd0c20615c0"},
    {21, {0, -1}, "96febb93ff0f70643a2953045f65e8e778e4e15da583ac799e79181335a4608e"},
    {19, {0, -1}, "fb752c062d1b35255e75c7d735de29c8056d3ab0b433eba9385c3c06791898f0"},
    {29, {-1, -1}, "b8af0b561e06fef4738d08b471188555ba6583998b3409a78d00ae7f56963bd8"},
    {34, {52, -1}, "2c85e56fb489fb52773314b97ca3397fd3fef13fc49a3768a825222f5deaccff"},
    {35, {64, -1}, "3e386fb412e8777c4f993d4ba7555e52d639bbfdd4a6b069baaccd43368a1e08"},
    {39, {-1, -1}, "1f619c958fa91b91c35695ce0a1065054f912cef59ef76389793fcf3ac3c4f73"},
    {41, {0, -1}, "8f22647fb5b634991d524ce1c53816cc880da42dfc4a20c2367be8259dd08c12"},
    {42, {0, -1}, "d8a9d1be29746d6e2a773cb045fa5869f73e6ec0dbea798d6da75d280d626baa"},
};

#endif

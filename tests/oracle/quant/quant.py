#!/usr/bin/env python3
"""Bit-for-bit comparison of the core's decode with PyPI gguf's dequantisers, every type, on random and extreme blocks.
usage: quant.py QUANT_DECODE [--golden tests/quant/quant_golden.h]   (--golden rewrites the digests that the C unit test checks)
needs: numpy, gguf"""
import argparse
import hashlib
import subprocess
import sys
from importlib.metadata import version

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

TYPES = "F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS IQ2_XXS IQ2_XS IQ2_S IQ3_XXS "\
        "IQ3_S IQ1_S IQ1_M TQ1_0 TQ2_0 MXFP4 Q1_0 Q2_0".split()
# Byte offsets of the half-precision scales of one block.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2],
          "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0], "IQ3_S": [0],
          "IQ1_S": [0], "IQ1_M": [], "TQ1_0": [52], "TQ2_0": [64], "MXFP4": [], "Q1_0": [0], "Q2_0": [0]}
# What gguf does not know: id, elements and bytes of a block.
OURS = {"Q1_0": (41, 128, 18), "Q2_0": (42, 64, 18)}
# Both zeros, least subnormals, greatest subnormal, least normal, ones, greatest values.
EXTREME = np.array([0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF], "<u2")


def shape(name):
    """Type id, elements and bytes of a block."""
    return OURS.get(name) or (int(T[name]), *GGML_QUANT_SIZES[T[name]])


def golden_bytes(n, seed):
    """The bytes of random_bytes in tests/quant/test_quant.c: xorshift64*, upper byte."""
    out = np.empty(n, np.uint8)
    s, mask = seed, (1 << 64) - 1
    for i in range(n):
        s ^= s >> 12
        s = (s ^ (s << 25)) & mask
        s ^= s >> 27
        out[i] = ((s * 0x2545F4914F6CDD1D) & mask) >> 56
    return out


def finite(blocks, name):
    if name == "IQ1_M":
        blocks[:, 55] &= 0xBF  # the half lies in four parts; this is its sign, and three bits of the exponent
    for at in HALVES.get(name, []):
        high = blocks[:, at + 1]
        high[(high & 0x7C) == 0x7C] &= 0xBF  # exponent 31 (infinity, NaN) becomes 15
    return blocks


def blocks_for(name, rng, n):
    if name in ("F16", "BF16"):
        return np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2)
    size = shape(name)[2]
    rows = []
    for fill in (0x00, 0xFF, 0x55, 0xAA, 0x0F, 0xF0, 0x80, 0x7F):
        for a in EXTREME:
            for b in EXTREME:
                row = np.full(size, fill, np.uint8)
                for at, value in zip(HALVES.get(name, []), (a, b)):
                    row[at:at + 2] = np.array([value], "<u2").view(np.uint8)
                rows.append(row)
    return np.concatenate([finite(rng.integers(0, 256, (n, size), dtype=np.uint8), name), np.array(rows)])


def reference(name, blocks):
    if name == "F32":
        return np.frombuffer(blocks.tobytes(), "<u4")
    if name in OURS:  # by their definition: bits, lowest first, of elements in order
        bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little").astype(np.float32)
        codes = bits * 2 - 1 if name == "Q1_0" else bits[:, 0::2] + 2 * bits[:, 1::2] - 1
        return (blocks[:, :2].copy().view("<f2").astype(np.float32) * codes).astype("<f4").ravel().view("<u4")
    return gguf.quants.dequantize(blocks, T[name]).astype("<f4").ravel().view("<u4")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--golden")
    a = arguments.parse_args()
    rng = np.random.default_rng(20240917)
    bad, lines = 0, []
    for name in TYPES:
        blocks = blocks_for(name, rng, 20000)
        done = subprocess.run([a.program, str(shape(name)[0])], input=blocks.tobytes(), stdout=subprocess.PIPE, check=True)
        mine, theirs = np.frombuffer(done.stdout, "<u4"), reference(name, blocks)
        assert mine.size == theirs.size == len(blocks) * shape(name)[1]
        nan = lambda u: (u & 0x7FFFFFFF) > 0x7F800000
        differ = int(((mine != theirs) & ~(nan(mine) & nan(theirs))).sum())
        bad += differ
        print("%-7s %8d values, %d mismatches" % (name, mine.size, differ))
        if name in HALVES:
            number, _, size = shape(name)
            golden = finite(golden_bytes(64 * size, 1000 + number).reshape(64, -1), name)
            halves = HALVES[name] + [-1] * (2 - len(HALVES[name]))
            digest = hashlib.sha256(reference(name, golden).tobytes()).hexdigest()
            lines.append('    {%d, {%d, %d}, "%s"},' % (number, *halves, digest))
    if a.golden:
        with open(a.golden, "w") as f:
            f.write("/* quant_golden.h - SHA-256 of the float32 values of 64 decoded blocks of each type, from PyPI gguf %s.\n"
                    " * Written by tests/oracle/quant/quant.py --golden; test_quant.c makes the same blocks. */\n"
                    "#ifndef QUANT_GOLDEN_H\n#define QUANT_GOLDEN_H\n\nstatic const struct {\n  unsigned type;\n"
                    "  int halves[2]; /* byte offsets of the half-precision scales, -1: none */\n  const char *sha256;\n} quant_golden[] = {\n"
                    "%s\n};\n\n#endif\n" % (version("gguf"), "\n".join(lines)))
    sys.exit(1 if bad else 0)


main()

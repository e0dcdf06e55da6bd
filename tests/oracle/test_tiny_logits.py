"""test_tiny_logits.py - every kind of tiny model against the double-precision reference.

The runtime keeps activations in float32 and, for float weights, rounds nothing else, so with a float32 KV cache the logits must agree to
LIMIT_FLOAT of the largest. For block formats activations become two int8 planes, 15 bits: LIMIT_FINE. The float16 cache rounds keys and values to
11 bits, which these sharp random models turn into up to LIMIT_F16; the q8_0 cache to 8 bits a block, up to LIMIT_Q8.
"""
import argparse
import os
import sys
import tempfile

import numpy as np

import reference
import tiny

LIMIT_FLOAT, LIMIT_FINE, LIMIT_F16, LIMIT_Q8 = 1e-5, 4e-4, 3e-3, 4e-2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retort", required=True)
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "tiny.gguf"), os.path.join(folder, "logits.npy")
        for name, options in tiny.CASES.items():
            ids = tiny.write(path, options)
            expected = reference.Reference(path).logits(ids)
            errors = []
            exact = LIMIT_FLOAT if options.get("type", "F32") in ("F32", "F16", "BF16") else LIMIT_FINE
            for kv, limit in (("f32", exact), ("f16", LIMIT_F16), ("q8_0", LIMIT_Q8)):
                got = tiny.logits(args.retort, path, ids, kv, out)
                assert got.shape == expected.shape and got.dtype == np.float32, (name, got.shape, got.dtype)
                error = np.abs(got - expected).max() / np.abs(expected).max()
                errors.append(error)
                failed += not error <= limit
            print(f"{name:20s} max |dlogit| / max |logit|: f32 {errors[0]:.2e} (limit {exact:g}), f16 {errors[1]:.2e} (limit {LIMIT_F16:g}), q8_0 {errors[2]:.2e} (limit {LIMIT_Q8:g})")
    print(f"{len(tiny.CASES)} models, {failed} outside the limits")
    sys.exit(failed > 0)


main()

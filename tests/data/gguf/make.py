"""Writes all_types.gguf with PyPI `gguf`, an implementation independent of ours: every value type, arrays, three tensors, alignment 64.

Run once; the file is committed. Usage: make.py all_types.gguf
"""
import sys

import numpy as np
from gguf import GGUFWriter, GGMLQuantizationType, GGUFValueType as T

w = GGUFWriter(sys.argv[1], "llama")
w.add_uint8("t.u8", 200)
w.add_int8("t.i8", -100)
w.add_uint16("t.u16", 60000)
w.add_int16("t.i16", -30000)
w.add_uint32("t.u32", 4000000000)
w.add_int32("t.i32", -2000000000)
w.add_float32("t.f32", 0.1)
w.add_bool("t.bool", True)
w.add_string("t.string", 'R\u00e9torte "\u84b8\u7559"\n')
w.add_uint64("t.u64", 2**64 - 1)
w.add_int64("t.i64", -(2**63))
w.add_float64("t.f64", 0.1)
w.add_key_value("t.strings", ["a", "", "\u00fc"], T.ARRAY, T.STRING)
w.add_key_value("t.u32s", [7, 7, 7], T.ARRAY, T.UINT32)
w.add_key_value("t.mixed", [1, 2, 3], T.ARRAY, T.INT32)
w.add_key_value("t.f32s", [1.5, -2.5], T.ARRAY, T.FLOAT32)
w.add_key_value("t.bools", [True, False], T.ARRAY, T.BOOL)
w.add_custom_alignment(64)
w.add_tensor("f32", np.arange(6, dtype=np.float32).reshape(2, 3))
w.add_tensor("f16", np.arange(4, dtype=np.float16))
w.add_tensor("q8", np.arange(68, dtype=np.uint8).reshape(2, 34), raw_dtype=GGMLQuantizationType.Q8_0)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()

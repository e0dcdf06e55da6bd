"""llamacpp.py - logits and block quantisation by llama.cpp, through PyPI llama-cpp-python's low-level API: an oracle that shares nothing with us."""
import ctypes
import os

import gguf
import llama_cpp
import numpy as np

TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]

_quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()

_base = ctypes.CDLL(os.path.join(os.path.dirname(llama_cpp.__file__), "lib", "libggml-base.so"))
_base.ggml_quantize_chunk.restype = ctypes.c_size_t
_base.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]


def quantize(w, kind):
    """(encoded rows, type id) of a float32 matrix, by llama.cpp's own quantisers; the signature that tiny.write expects."""
    q = gguf.GGMLQuantizationType[kind]
    w = np.ascontiguousarray(w, dtype=np.float32)
    block, size = gguf.GGML_QUANT_SIZES[q]
    rows, cols = w.shape
    out = np.zeros((rows, cols // block * size), dtype=np.uint8)
    _base.ggml_quantize_chunk(int(q), w.ctypes.data, out.ctypes.data, 0, rows, cols, None)
    if kind in ("F32", "F16"):
        return out.view(np.float32 if kind == "F32" else np.float16), q
    return out, q


def logits(path, ids, kv="f16", threads=1):
    """(n, n_vocab) float32: every position's logits."""
    mp = llama_cpp.llama_model_default_params()
    mp.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(path.encode(), mp)
    if not model:
        raise RuntimeError("llama.cpp does not load " + path)
    cp = llama_cpp.llama_context_default_params()
    cp.n_ctx = cp.n_batch = cp.n_ubatch = max(len(ids), 32)
    cp.n_threads = cp.n_threads_batch = threads
    cp.flash_attn_type = 0  # plain attention: softmax in float32
    cp.type_k = cp.type_v = 1 if kv == "f16" else 0
    context = llama_cpp.llama_init_from_model(model, cp)
    n_vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for i, token in enumerate(ids):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
        batch.seq_id[i][0] = 0
    if llama_cpp.llama_decode(context, batch):
        raise RuntimeError("llama_decode failed")
    out = np.ctypeslib.as_array(llama_cpp.llama_get_logits(context), shape=(len(ids), n_vocab)).copy()
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return out

"""Writes small.gguf, a vocabulary of a few dozen tokens that the fuzzer starts from. Usage: make.py small.gguf"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "oracle"))
import vocabularies

letters = list("abcdehlo\u0120\u010a.12<>|") + ["\u00c3", "\u00a9"]
merges = ["h e", "l l", "he ll", "hell o", "\u0120 hello", "a b", "\u00c3 \u00a9"]
tokens = letters + [m.replace(" ", "") for m in merges] + ["<s>", "</s>", "<think>", "</think>", "[PAD29]"]
vocabularies.write_gguf(sys.argv[1], {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "qwen2",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": [1] * (len(tokens) - 5) + [3, 3, 4, 4, 5],
    "tokenizer.ggml.merges": merges,
    "tokenizer.ggml.bos_token_id": len(tokens) - 5,
    "tokenizer.ggml.eos_token_id": len(tokens) - 4,
    "tokenizer.ggml.add_bos_token": True,
})

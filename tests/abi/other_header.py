"""other_header.py AGE FROM TO: copies retort.h and retort_platform.h with the structs of another age.

older: each struct ends before the members named in LATER; newer: each has one more member at its end; current: as they are."""
import pathlib
import re
import sys

# What is dropped begins where the older struct ends, as members that are added must (docs/VERSIONING.md): never in its last padding.
LATER = {
    "retort_buffer": ["name"],
    "retort_trust_file": ["chunks", "chunks_size"],
    "retort_trust_policy": ["model_name", "model_digest", "time"],
    "retort_gguf_summary": ["tensor_bytes"],
    "retort_gguf_entry": ["count"],
    "retort_gguf_tensor": ["offset", "size"],
    "retort_vocab_info": ["model", "pre", "chat_template"],
    "retort_chat_options": ["date"],
    "retort_model_options": ["kernels"],
    "retort_model_info": ["kv_bytes_per_token"],
    "retort_session_options": ["kv_type"],
    "retort_session_info": ["kv_bytes", "work_bytes"],
    "retort_generate_options": ["stop", "n_stop", "proof", "draft"],
    "retort_event": ["finish", "prompt_done", "prompt_total", "retracted"],
    "retort_usage": ["drafted_tokens", "accepted_tokens"],
    "retort_platform": ["cpu_features", "interrupted"],
}


def drop(body, members):
    """The struct's declarations without those of `members`; a line that declares several goes as a whole."""
    kept = [d for d in body.split(";") if not any(re.search(r"\b%s\b" % m, d) for m in members)]
    return ";".join(kept)


def main():
    age, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    for header in ("retort.h", "retort_platform.h"):
        text = re.sub(r"/\*.*?\*/", " ", (source / header).read_text(), flags=re.S)

        def change(match):
            name, body = match[1], match[2]
            if name == "retort_error" or age == "current":
                return match[0]
            if age == "newer":
                return match[0][: match[0].rindex("}")] + "  uint64_t added_later[3];\n" + match[0][match[0].rindex("}"):]
            return match[0].replace(body, drop(body, LATER.get(name, [])))

        (target / header).write_text(re.sub(r"\bstruct (retort_\w+) \{(.*?)\n\}", change, text, flags=re.S))


main()

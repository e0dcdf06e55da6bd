"""Marks a pupil's sums: reads lines such as "4821+396=5217" and says which are right, and how the model got there.

python example.py retort-plugin.wasm ember.gguf retort-project.pub < sums.txt
"""
import sys

import retort

plugin, model, key = sys.argv[1:4]
with retort.Model(plugin, model, {"method": "key", "anchors": [open(key).read()], "model_name": "ember"}) as ember:
    session = ember.session()
    for line in sys.stdin:
        question, claimed = line.strip().split("=")
        pieces = list(session.chat([{"role": "user", "content": f"What is {question}?"}], temperature=0, max_tokens=300))
        answer = "".join(p.text for p in pieces if p.section == "answer").strip()
        right = answer.rstrip(".").endswith(" " + claimed)
        print("right" if right else "WRONG", line.strip(), "" if right else f"({answer})")

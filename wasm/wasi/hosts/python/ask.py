"""Answers one request: python ask.py PLUGIN MODEL.gguf < {"trust": {...}, "chat": {"messages": [...], ...}}, and prints what came as JSON."""
import json
import sys

import retort

request = json.load(sys.stdin)
try:
    with retort.Model(sys.argv[1], sys.argv[2], request["trust"]) as model:
        session = model.session()
        chat = request["chat"]
        pieces = list(session.chat(chat.pop("messages"), **chat))
        print(json.dumps({"text": "".join(p.text for p in pieces if p.section == "answer"), "reasoning": "".join(p.text for p in pieces if p.section == "reasoning"),
                          "finish_reason": pieces[-1].finish, "usage": session.usage(), "proof": session.proof(), "info": model.info}))
except retort.Error as error:
    print(json.dumps({"error": error.kind, "message": str(error)}))

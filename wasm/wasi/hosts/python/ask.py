"""Answers the requests of ../../tests/hosts.py, a line of JSON each: python ask.py PLUGIN [MOST-BYTES-OF-MEMORY]."""
import json
import sys

import retort
import wasmtime

engine = wasmtime.Engine()
module = wasmtime.Module.from_file(engine, sys.argv[1])
limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
opened, sessions = [], []  # sessions: with the number of their model


def answer(request):
    if "open" in request:
        opened.append(retort.Model(None, request["open"], request["trust"], memory_limit=limit, engine=engine, module=module))
        return {"model": len(opened) - 1, "info": opened[-1].info}
    if "session" in request:
        sessions.append((request["session"], opened[request["session"]].session(**request["options"])))
        return {"session": len(sessions) - 1}
    if "end" in request:
        model, session = sessions[request["end"]]
        session.close()
        return {"memory": opened[model].memory_bytes()}
    if "close" in request:
        opened[request["close"]].close()
        return {}
    session, chat, pieces, out = sessions[request["in"]][1], request["chat"], [], {}
    for piece in session.chat(chat.pop("messages"), **chat):
        pieces.append(piece)
        if len(pieces) == request.get("after"):
            if "meanwhile" not in request:
                break
            out["meanwhile"] = answer(request["meanwhile"])
    for section in ("answer", "reasoning"):
        out[section] = "".join(p.text for p in pieces if p.section == section)
    return {**out, "finish_reason": pieces[-1].finish, "usage": session.usage(), "proof": session.proof() if pieces[-1].finish else None}


for line in sys.stdin:
    try:
        got = answer(json.loads(line))
    except retort.Error as error:
        got = {"error": error.kind, "message": str(error)}
    print(json.dumps(got), flush=True)

"""The scripted model as a process of its own, for tests in other languages: prints its URL and serves until it is killed.

What it says follows from the conversation: the words `CALL name {json}` of the newest user message are calls that it
makes in that order, one a turn; `RETRIEVE words` calls headroom_retrieve with the first reference in sight; after that
it says "done". GET /recorded answers the bodies of all requests so far, and forgets them.
"""

from __future__ import annotations

import json
import re
import sys
import threading

from tests.scripted_model import Call, Reply, Request, ScriptedModel

_WISH = re.compile(r"(CALL|RETRIEVE) (\S+)(?: (\{.*?\}))?")


def script(request: Request) -> Reply | str:
    wishes = _WISH.findall(request.user_text)
    turn = _outputs_since_the_user(request)
    if turn >= len(wishes):
        return "done"
    kind, name, arguments = wishes[turn]
    if kind == "RETRIEVE":
        return Reply(calls=(Call("headroom_retrieve", {"ref": (request.references or ["none"])[0], "query": name}),))
    return Reply(calls=(Call(name, json.loads(arguments or "{}")),))


def _outputs_since_the_user(request: Request) -> int:
    count = 0
    for message in reversed(request.messages):
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        results = sum(block.get("type") == "tool_result" for block in blocks if isinstance(block, dict))
        if message.get("role") == "user" and not results:
            break
        count += results + (message.get("role") == "tool") + (message.get("type") == "function_call_output")
    return count


def main() -> None:
    model = ScriptedModel(script)
    print(model.url, flush=True)
    sys.stdin.read()  # until whoever started it goes away
    threading.Event().wait(0.1)
    model.close()


if __name__ == "__main__":
    main()

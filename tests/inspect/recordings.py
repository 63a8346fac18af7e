"""Session files as agents write them, made up."""

from __future__ import annotations

import json
from typing import Any

from tests import shop

OUTPUT = json.dumps(shop.orders(300))


def claude_line(kind: str, content: Any, uuid: str, parent: str | None, **others: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content}
    if kind == "assistant":
        message |= {"id": others.pop("id", f"msg_{uuid}"), "model": "claude-sonnet-4-5-20250929", "type": "message"}
    return {"type": kind, "message": message, "uuid": uuid, "parentUuid": parent, "sessionId": "s-1", "isSidechain": False, **others}


def claude_session() -> list[dict[str, Any]]:
    """A question, words and two calls in one answer, their outputs, and a sidechain that reads a file."""
    use = [{"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": {"n": n}} for n, name in enumerate(("list_orders", "Bash"))]
    texts = (OUTPUT, shop.info_log({9: "ERROR"}))
    results = [{"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": text} for n, text in enumerate(texts)]
    side = {"isSidechain": True}
    return [
        {"type": "summary", "summary": "Orders", "leafUuid": "e"},
        {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}},
        claude_line("user", "Which order failed?", "a", None),
        claude_line("assistant", [{"type": "text", "text": "I look."}], "b", "a", id="msg_1"),
        claude_line("assistant", [use[0]], "c", "b", id="msg_1"),
        claude_line("assistant", [use[1]], "d", "c", id="msg_1"),
        claude_line("user", "Read billing.py", "s1", None, **side),
        claude_line("user", [results[0]], "e", "c"),
        claude_line("user", [results[1]], "f", "d"),
        {"type": "system", "content": "hook ran", "uuid": "g", "parentUuid": "f", "sessionId": "s-1"},
        claude_line("assistant", [{"type": "tool_use", "id": "toolu_9", "name": "Read", "input": {}}], "s2", "s1", **side),
        claude_line("user", [{"type": "tool_result", "tool_use_id": "toolu_9", "content": shop.python_file()}], "s3", "s2", **side),
        claude_line("assistant", [{"type": "text", "text": "ord_7301 failed."}], "h", "g"),
    ]


def jsonl(items: list[Any]) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()

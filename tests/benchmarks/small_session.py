"""A session small enough to know every answer by heart."""

from __future__ import annotations

import json
from typing import Any

ORDERS = "order ord-2222 is shipped\norder ord-3333 is lost\nsee src/shop/orders.py"


def called(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    """The assistant calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": f"call_{number}", "type": "function", "function": function}]}


def answered(number: int, text: str) -> dict[str, Any]:
    """The tool answers."""
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


def small_session() -> list[dict[str, Any]]:
    """Three turns, at 2, 4 and 6: the first wants nothing, the second ord-2222, the third ord-3333 and src/shop/orders.py."""
    return [
        {"role": "system", "content": "Help with orders. Ask before you refund."},
        {"role": "user", "content": "What about ord-1111 and the others?"},
        called(1, "list_orders", page=1),
        answered(1, ORDERS),
        called(2, "show_order", ids=["ord-2222", "ord-1111"]),
        answered(2, "nothing known"),
        {"role": "assistant", "content": "ord-3333 is lost: look at src/shop/orders.py, not at ord-4444."},
    ]

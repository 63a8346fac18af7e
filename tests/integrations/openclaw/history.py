"""Histories as OpenClaw keeps them."""

from __future__ import annotations

import json
from typing import Any

from tests.shop import orders

ORDERS = json.dumps(orders(120))
Message = dict[str, Any]


def user(text: str, at: int = 0) -> Message:
    return {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": at}


def call(number: int, name: str = "list_orders") -> Message:
    block = {"type": "toolCall", "id": f"call_{number}", "name": name, "arguments": {"page": number}}
    return {"role": "assistant", "content": [{"type": "text", "text": "Let me look."}, block], "usage": {"input": 1}, "timestamp": number}


def result(number: int, text: str = ORDERS, name: str = "list_orders") -> Message:
    content = [{"type": "text", "text": text}]
    return {"role": "toolResult", "toolCallId": f"call_{number}", "toolName": name, "content": content, "isError": False, "details": {}}


def says(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "stopReason": "stop"}


def turn(number: int, text: str = ORDERS) -> list[Message]:
    """A question, a call, its output, an answer."""
    return [user(f"What of page {number}?", number), call(number), result(number, text), says(f"Page {number} is fine.")]


def history(turns: int, text: str = "some words of an output " * 40) -> list[Message]:
    """Many turns, each with an output of its own."""
    return [message for number in range(turns) for message in turn(number, f"{number}: {text}")]

"""Requests of an agent that calls tools, made up: Anthropic messages whose newest tool output is new, or known."""

from __future__ import annotations

import json
import random
from typing import Any

CHARACTERS = 20_000


def output(dice: random.Random, characters: int = CHARACTERS) -> str:
    """Rows, a log, or a file, of about so many characters."""
    kind, lines, size = dice.randrange(3), [], 0
    salt = dice.randrange(10**6)
    while size < characters:
        number = len(lines)
        if kind == 0:
            row = {"id": f"ord_{salt + number}", "status": dice.choice(["ok", "ok", "failed"]), "total": dice.randrange(10**4)}
            lines.append(json.dumps(row))
        elif kind == 1:
            lines.append(
                f"2026-01-05 10:{number % 60:02}:{dice.randrange(60):02} INFO worker-{salt % 9} handled {salt + number} in {number % 87} ms"
            )
        else:
            lines.append(f"{number + 1:6}\t    value_{salt}_{number} = compute(order, {dice.randrange(100)})")
        size += len(lines[-1]) + 2
    return f"[{', '.join(lines)}]" if kind == 0 else "\n".join(lines)


class Turns:
    """The turns of one agent. `known`: its conversation grows by a few words a turn; else each turn is a new one."""

    def __init__(self, seed: str, known: bool, characters: int = CHARACTERS, stream: bool = True) -> None:
        self._dice = random.Random(seed)
        self._known = known
        self._characters = characters
        self._stream = stream
        self._messages: list[dict[str, Any]] = []

    def following(self) -> bytes:
        """The body of the next request."""
        if self._known and self._messages:
            self._messages += [{"role": "assistant", "content": "I see."}, {"role": "user", "content": f"And then? {self._dice.random()}"}]
        else:
            self._messages = self._begun()
        request = {"model": "claude-sonnet-4-5-20250929", "max_tokens": 1000, "stream": self._stream, "messages": self._messages}
        return json.dumps(request).encode()

    def _begun(self) -> list[dict[str, Any]]:
        call_id = f"toolu_{self._dice.randrange(10**9)}"
        call = {"type": "tool_use", "id": call_id, "name": "look", "input": {"page": self._dice.randrange(100)}}
        result = {"type": "tool_result", "tool_use_id": call_id, "content": output(self._dice, self._characters)}
        return [
            {"role": "user", "content": "Find out why checkout fails for some orders."},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]

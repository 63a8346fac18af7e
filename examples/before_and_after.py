"""One tool output before and after, long ones cut in the middle for the eye: python examples/before_and_after.py payment_attempts"""

from __future__ import annotations

import json
import sys
import textwrap

import tool_outputs

from headroom import MemoryStore, compress

ENDS = 5


def main(name: str) -> None:
    """Print both."""
    before = getattr(tool_outputs, name)()
    result = compress([{"role": "tool", "tool_call_id": "call_1", "content": before}], store=MemoryStore(), model="gpt-4o")
    after = result.messages[0]["content"]
    _show(f"before: {result.tokens_before:,} tokens", textwrap.wrap(before, 118) if before.count("\n") < ENDS else before.splitlines())
    _show(f"after: {result.tokens_after:,} tokens", _body(after).splitlines())


def _body(text: str) -> str:
    """What is inside a text block's envelope."""
    return str(json.loads(text)["text"]) if text.startswith('{"type": "text"') else text


def _show(title: str, lines: list[str]) -> None:
    hidden = len(lines) - 2 * ENDS
    shown = lines if hidden < 2 else [*lines[:ENDS], f"        ({hidden} more lines here)", *lines[-ENDS:]]
    sys.stdout.write("\n".join([f"--- {title}", *shown]) + "\n\n")


if __name__ == "__main__":
    main(sys.argv[1])

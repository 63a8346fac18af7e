"""The demo: what Headroom makes of an agent's conversation, and whether what it promises holds here.

Prints the savings text by text, a marker as the model sees it, two retrievals, and the checks; exits with 1 if one fails.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import click
from agent_conversation import FORMATS, Message
from tool_outputs import HIDDEN_IN_THE_LOG, UNPAID_ORDER

from headroom import BlockReport, CompressResult, compress, retrieve, tools
from headroom.cli.shared import columns_of
from headroom.cli.tables import Column, table

MODEL = "gpt-4o"
PLAIN = False if "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" else None
"""For click: False takes styles off, None where nobody looks at a terminal."""


def main() -> int:
    """Run everything; the exit code says whether all of it holds."""
    conversations = {dialect: build() for dialect, build in FORMATS.items()}
    results = {dialect: compress(messages, model=MODEL) for dialect, messages in conversations.items()}
    result = results["anthropic"]

    _show_blocks(result, conversations["anthropic"])
    _show_formats(results)
    log = _report_of(result, "\n" + HIDDEN_IN_THE_LOG[0])
    _show_marker(log)
    _show_retrieval(_report_of(result, UNPAID_ORDER))
    _show_original(log)

    promises = list(_checks(conversations, results))
    for promise, holds in promises:
        _show_outcome("  holds   " if holds else "  BROKEN  ", holds, promise)
    return 0 if all(holds for _, holds in promises) else 1


def _show_blocks(result: CompressResult, messages: list[Message]) -> None:
    names = _tool_names(messages)
    rows = [
        (
            ".".join(map(str, block.path)),
            names.get(block.path[0], "the user's words"),
            block.kind,
            f"{block.tokens_before:,}",
            f"{block.tokens_after:,}",
            _share(block.tokens_saved, block.tokens_before),
            block.reference or block.reason or "nothing left out",
        )
        for block in result.blocks
    ]
    columns = [*map(Column, ("path", "tool", "kind")), *_numbers("before", "after", "saved"), Column("original in store")]
    _show_table("One conversation, text by text (tokens)", columns, rows)


def _show_formats(results: dict[str, CompressResult]) -> None:
    rows = [
        (
            dialect,
            str(len(result.messages)),
            f"{result.tokens_before:,}",
            f"{result.tokens_after:,}",
            _share(result.tokens_saved, result.tokens_before),
        )
        for dialect, result in results.items()
    ]
    columns = [Column("format"), *_numbers("messages", "before", "after", "saved")]
    _show_table("The same conversation in every wire format (tokens)", columns, rows)


def _numbers(*names: str) -> list[Column]:
    return [Column(name, number=True) for name in names]


def _show_table(title: str, columns: list[Column], rows: list[tuple[str, ...]]) -> None:
    click.echo(title)
    click.echo(table(columns, rows, columns_of(sys.stdout)), nl=False)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if part else "-"


def _tool_names(messages: list[Message]) -> dict[Any, str]:
    """Message index -> the tool whose output stands there: each answers the call before it."""
    names: dict[Any, str] = {}
    for index, message in enumerate(messages):
        for block in message["content"] if isinstance(message["content"], list) else ():
            if block["type"] == "tool_use":
                names[index + 1] = block["name"]
    return names


def _report_of(result: CompressResult, text: str) -> BlockReport:
    return next(block for block in result.blocks if block.reference and text in block.before)


def _show_marker(block: BlockReport) -> None:
    marker = next(line for line in block.after.splitlines() if f"ref={block.reference}" in line)
    _heading("A marker, as the model sees it")
    click.echo(marker)


def _show_retrieval(block: BlockReport) -> None:
    arguments = {"ref": block.reference, "query": UNPAID_ORDER}
    _heading(f"The model asks: headroom_retrieve({arguments})")
    click.echo(tools.call("headroom_retrieve", arguments))


def _show_original(block: BlockReport) -> None:
    original = retrieve(str(block.reference))
    _heading(f"The whole original: retrieve({block.reference!r})")
    click.echo(f"sent by the tool  {_sha256(block.before)}\nretrieved         {_sha256(original)}")
    same = original == block.before
    _show_outcome("identical" if same else "DIFFERENT", same)
    _heading("What is promised, checked on this conversation in all three formats")


def _show_outcome(words: str, good: bool, more: str = "") -> None:
    click.echo(click.style(words, "green" if good else "red", bold=None if good else True) + more, color=PLAIN)


def _heading(text: str) -> None:
    click.echo("\n" + click.style(text, bold=True), color=PLAIN)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checks(conversations: dict[str, list[Message]], results: dict[str, CompressResult]) -> Iterator[tuple[str, bool]]:
    """(promise, whether it holds) for every promise that can be checked in a moment."""
    pairs = [(conversations[dialect], results[dialect]) for dialect in conversations]
    blocks = [block for result in results.values() for block in result.blocks]
    yield (
        "every text that was shortened has fewer tokens than before, its marker included",
        all(block.tokens_after < block.tokens_before for block in blocks if block.changed),
    )
    yield "nothing failed on the way", not any(block.failed for block in blocks)
    yield (
        "system prompts, the user's words and the assistant's words and calls are the same objects",
        all(
            after is before
            for messages, result in pairs
            for before, after in zip(messages, result.messages, strict=True)
            if not _is_output(before)
        ),
    )
    yield (
        "every original comes back, byte for byte",
        all(retrieve(block.reference) == block.before for block in blocks if block.changed and block.reference),
    )
    yield (
        "two hidden lines among 2,000 of the log are still in sight",
        all(line in _report_of(result, line).after for result in results.values() for line in HIDDEN_IN_THE_LOG),
    )
    yield (
        "every beginning of the conversation compresses to the beginning of the whole: prompt caches survive",
        all(
            compress(messages[:n], model=MODEL).messages == result.messages[:n] for messages, result in pairs for n in range(len(messages))
        ),
    )
    yield (
        "compressing the result again changes nothing",
        all(compress(result.messages, model=MODEL).messages == result.messages for result in results.values()),
    )


def _is_output(message: Message) -> bool:
    """Whether the message carries what a tool answered."""
    content = message.get("content")
    in_blocks = isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)
    return message.get("role") == "tool" or message.get("type") == "function_call_output" or in_blocks


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="headroom-demo-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("HEADROOM_HOME", folder)
        sys.exit(main())

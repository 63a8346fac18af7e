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

from agent_conversation import FORMATS, Message
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tool_outputs import HIDDEN_IN_THE_LOG, UNPAID_ORDER

from headroom import BlockReport, CompressResult, compress, retrieve, tools

MODEL = "gpt-4o"


def main() -> int:
    """Run everything; the exit code says whether all of it holds."""
    # A pipe has no width of its own: a fixed one makes the output the same everywhere.
    console = Console(width=None if sys.stdout.isatty() else 112, highlight=False)
    conversations = {dialect: build() for dialect, build in FORMATS.items()}
    results = {dialect: compress(messages, model=MODEL) for dialect, messages in conversations.items()}
    result = results["anthropic"]

    console.print(_blocks_table(result, conversations["anthropic"]))
    console.print(_formats_table(results))
    log = _report_of(result, "\n" + HIDDEN_IN_THE_LOG[0])
    _show_marker(console, log)
    _show_retrieval(console, _report_of(result, UNPAID_ORDER))
    _show_original(console, log)

    broken = [promise for promise, holds in _checks(conversations, results) if not holds]
    for promise, holds in _checks(conversations, results):
        console.print(Text("  holds   " if holds else "  BROKEN  ", "green" if holds else "bold red"), promise, sep="")
    return 1 if broken else 0


def _blocks_table(result: CompressResult, messages: list[Message]) -> Table:
    table = Table(title="One conversation, text by text (tokens)", title_justify="left", box=SIMPLE_HEAD)
    for name in ("path", "tool", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("before", "after", "saved"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("original in store")
    names = _tool_names(messages)
    for block in result.blocks:
        table.add_row(
            ".".join(map(str, block.path)),
            names.get(block.path[0], "the user's words"),
            block.kind,
            f"{block.tokens_before:,}",
            f"{block.tokens_after:,}",
            _share(block.tokens_saved, block.tokens_before),
            Text(block.reference or block.reason or "nothing left out"),
        )
    return table


def _formats_table(results: dict[str, CompressResult]) -> Table:
    table = Table(title="The same conversation in every wire format (tokens)", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("format", no_wrap=True)
    for name in ("messages", "before", "after", "saved"):
        table.add_column(name, justify="right", no_wrap=True)
    for dialect, result in results.items():
        before, after = f"{result.tokens_before:,}", f"{result.tokens_after:,}"
        table.add_row(dialect, str(len(result.messages)), before, after, _share(result.tokens_saved, result.tokens_before))
    return table


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


def _show_marker(console: Console, block: BlockReport) -> None:
    marker = next(line for line in block.after.splitlines() if f"ref={block.reference}" in line)
    _heading(console, "A marker, as the model sees it")
    console.print(marker, markup=False, soft_wrap=True)


def _show_retrieval(console: Console, block: BlockReport) -> None:
    arguments = {"ref": block.reference, "query": UNPAID_ORDER}
    _heading(console, f"The model asks: headroom_retrieve({arguments})")
    console.print(tools.call("headroom_retrieve", arguments), markup=False, soft_wrap=True)


def _show_original(console: Console, block: BlockReport) -> None:
    original = retrieve(str(block.reference))
    _heading(console, f"The whole original: retrieve({block.reference!r})")
    console.print(f"sent by the tool  {_sha256(block.before)}\nretrieved         {_sha256(original)}")
    console.print("identical" if original == block.before else "DIFFERENT", style="green" if original == block.before else "bold red")
    _heading(console, "What is promised, checked on this conversation in all three formats")


def _heading(console: Console, text: str) -> None:
    console.print(f"\n{text}", style="bold", markup=False)


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

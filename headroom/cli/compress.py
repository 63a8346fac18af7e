"""`headroom compress`: messages, or the output of one tool, shorter."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from headroom import BlockReport, CompressConfig, CompressResult, compress
from headroom.cli.shared import (
    FAILURE,
    LONG_WORK_CHARACTERS,
    JsonOption,
    StoreOption,
    complain,
    complaints,
    opened,
    progress,
    read,
    stderr,
    write,
)
from headroom.documents import read_document

Preset = Literal["gentle", "balanced", "firm"]


def compress_command(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Messages as JSON, or any text; - reads standard input.")],
    model: Annotated[str, typer.Option(help="Whose tokens to count.")] = "gpt-4o",
    lossless: Annotated[bool, typer.Option("--lossless", help="Fold only: leave nothing out, store nothing.")] = False,
    preset: Annotated[Preset | None, typer.Option(help="How much stays in sight.")] = None,
    store: StoreOption = None,
    text: Annotated[bool, typer.Option("--text", help="Take the input as one tool output, also if it looks like messages.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Shorten messages, or the output of one tool.

    FILE holds a JSON list of messages, an object with such a list under "messages" or "input", or anything else, which
    is taken as one tool output. The result goes to stdout in the same form, what was saved to stderr.
    """
    with complaints():
        document = read_document(read(file), as_text=text)
        size = document.characters
        with progress(f"shortening {size / 1e6:,.1f} million characters", size >= LONG_WORK_CHARACTERS):
            result = compress(document.messages, model, config=config_for(preset), store=opened(store), lossless=lossless)
        write(document.with_messages(result.messages))
        _tell(result, as_json)
        failures = [block.reason for block in result.blocks if block.failed]
        if failures:
            complain(f"{failures[0].removeprefix('failed: ')}; what it concerned was written as it came")
            raise typer.Exit(FAILURE)


def config_for(preset: Preset | None) -> CompressConfig:
    """The environment's settings, with the preset that was asked for."""
    config = CompressConfig.from_env()
    return config if preset is None else CompressConfig.preset(preset).with_options(namespace=config.namespace)


def _tell(result: CompressResult, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_figures(result)), err=True)
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("text", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("before", "after", "saved"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("original in store")
    for block in result.blocks:
        where = ".".join(map(str, block.path))
        kept = block.reference or block.reason or "nothing left out"
        table.add_row(where, block.kind, f"{block.tokens_before:,}", f"{block.tokens_after:,}", _share(block), Text(kept))
    table.add_section()
    estimated = "" if result.tokens_exact else "estimated tokens"
    total = (f"{result.tokens_before:,}", f"{result.tokens_after:,}", f"{result.compression_ratio:.0%}", estimated)
    table.add_row("whole conversation", "", *total)
    stderr().print(table)


def _share(block: BlockReport) -> str:
    return f"{block.tokens_saved / block.tokens_before:.0%}" if block.tokens_saved else "-"


def _figures(result: CompressResult) -> dict[str, Any]:
    return {
        "tokens_before": result.tokens_before,
        "tokens_after": result.tokens_after,
        "tokens_saved": result.tokens_saved,
        "tokens_exact": result.tokens_exact,
        "compression_ratio": round(result.compression_ratio, 4),
        "transforms_applied": result.transforms_applied,
        "references": result.references,
        "blocks": [
            {
                "path": list(block.path),
                "kind": block.kind,
                "tokens_before": block.tokens_before,
                "tokens_after": block.tokens_after,
                "reference": block.reference,
                "lossy": block.lossy,
                "note": block.note,
                "reason": block.reason,
            }
            for block in result.blocks
        ],
    }

"""`headroom compress`: messages, or the output of one tool, shorter."""

from __future__ import annotations

import json
from typing import Any, Literal

import click

from headroom import BlockReport, CompressConfig, CompressResult, compress
from headroom.cli.command import argument, command, file_type, flag, json_option, model_option, preset_option, store_option
from headroom.cli.shared import FAILURE, LONG_WORK_CHARACTERS, complain, opened, progress, read, tell_table, write
from headroom.cli.tables import Column
from headroom.documents import read_document

Preset = Literal["gentle", "balanced", "firm"]
COLUMNS = (
    Column("text"),
    Column("kind"),
    Column("before", number=True),
    Column("after", number=True),
    Column("saved", number=True),
    Column("original in store"),
)


@command("compress")
@argument("file", "Messages as JSON, or any text; - reads standard input.", metavar="FILE|-", type=file_type)
@model_option("gpt-4o")
@flag("--lossless", "Fold only: leave nothing out, store nothing.")
@preset_option
@store_option
@flag("--text", "Take the input as one tool output, also if it looks like messages.")
@json_option
def compress_command(file: str, model: str, lossless: bool, preset: Preset | None, store: str | None, text: bool, as_json: bool) -> None:
    """Shorten messages, or the output of one tool.

    FILE holds a JSON list of messages, an object with such a list under "messages" or "input", or anything else, which
    is taken as one tool output. The result goes to stdout in the same form, what was saved to stderr.
    """
    document = read_document(read(file), as_text=text)
    size = document.characters
    with progress(f"shortening {size / 1e6:,.1f} million characters", size >= LONG_WORK_CHARACTERS):
        result = compress(document.messages, model, config=config_for(preset), store=opened(store), lossless=lossless)
    write(document.with_messages(result.messages))
    _tell(result, as_json)
    failures = [block.reason for block in result.blocks if block.failed]
    if failures:
        complain(f"{failures[0].removeprefix('failed: ')}; what it concerned was written as it came")
        raise click.exceptions.Exit(FAILURE)


def config_for(preset: Preset | None) -> CompressConfig:
    """The environment's settings, with the preset that was asked for."""
    config = CompressConfig.from_env()
    return config if preset is None else CompressConfig.preset(preset).with_options(namespace=config.namespace)


def _tell(result: CompressResult, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_figures(result)), err=True)
        return
    rows = [
        (
            ".".join(map(str, block.path)),
            block.kind,
            f"{block.tokens_before:,}",
            f"{block.tokens_after:,}",
            _share(block),
            block.reference or block.reason or "nothing left out",
        )
        for block in result.blocks
    ]
    estimated = "" if result.tokens_exact else "estimated tokens"
    total = (f"{result.tokens_before:,}", f"{result.tokens_after:,}", f"{result.compression_ratio:.0%}", estimated)
    tell_table(COLUMNS, [*rows, ("",) * len(COLUMNS), ("whole conversation", "", *total)])


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

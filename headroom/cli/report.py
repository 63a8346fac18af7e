"""`headroom report`: what a folder of transcripts would have saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from headroom.cli.compress import Preset, config_for
from headroom.cli.shared import BAD_INPUT, JsonOption, complain, complaints, progress, write, write_page, write_table

if TYPE_CHECKING:
    from headroom.inspect import Figures, Sum

MOST_COMPLAINTS = 20


def report_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds transcripts, at any depth: *.json and *.jsonl.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PAGE", help="Write a page with plots, too.")] = None,
    model: Annotated[str, typer.Option(help="Whose tokens to count. [default: each transcript's own]")] = "",
    preset: Annotated[Preset | None, typer.Option(help="How much stays in sight.")] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Fold only: leave nothing out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What recorded sessions would have saved, by kind of text and by tool.

    Reads conversations in the formats of OpenAI and Anthropic, and Claude Code's JSONL. Nothing is stored.
    """
    with complaints():
        from headroom.inspect import figures_of_folder, report_page  # pages and transcripts, which no other command needs

        if not folder.exists():
            raise typer.BadParameter(f"cannot read {folder}: there is no such folder")
        with progress(f"reading {folder}"):
            figures = figures_of_folder(folder, model=model, config=config_for(preset), lossless=lossless)
        if as_json:
            write(json.dumps(figures.as_dict()).encode() + b"\n")
        else:
            _tell(figures)
        if output is not None:
            write_page(report_page(figures, folder.resolve().name), output)
        _complain_of(figures.problems)
        if not figures.sessions:
            complain(f"no conversation found in {folder}")
            raise typer.Exit(BAD_INPUT)


def _complain_of(problems: list[str]) -> None:
    for problem in problems[:MOST_COMPLAINTS]:
        complain(problem)
    if len(problems) > MOST_COMPLAINTS:
        complain(f"and {len(problems) - MOST_COMPLAINTS:,} more")


def _tell(figures: Figures) -> None:
    write_table(_table("kind", figures.by_kind()))
    write_table(_table("tool", figures.by_tool()))
    total = figures.total
    table = Table(box=SIMPLE_HEAD)
    for name in ("", "before", "saved", ""):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    rows = [("every text once", total.before, total.saved), (f"all {total.requests:,} requests", total.sent_before, total.sent_saved)]
    for words, before, saved in rows:
        table.add_row(words, f"{before:,}", f"{saved:,}", _share(saved, before))
    write_table(table)


def _table(what: str, sums: list[tuple[str, Sum]]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(what, overflow="fold")
    for name in ("texts", "shortened", "before", "saved", "share", "in all requests"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, total in sums:
        cells: list[Any] = [f"{total.texts:,}", f"{total.shortened:,}", f"{total.before:,}", f"{total.saved:,}"]
        table.add_row(Text(name), *cells, _share(total.saved, total.before), _share(total.sent_saved, total.sent_before))
    return table


def _share(saved: int, before: int) -> str:
    return f"{saved / before:.0%}" if saved and before else "-"

"""`headroom report`: what a folder of transcripts would have saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headroom.cli.command import argument, command, flag, json_option, model_option, output_option, preset_option
from headroom.cli.compress import Preset, config_for
from headroom.cli.shared import BAD_INPUT, complain, progress, write, write_page, write_table
from headroom.cli.tables import Column
from headroom.cli.terminal import plain

if TYPE_CHECKING:
    from headroom.inspect import Figures, Sum

MOST_COMPLAINTS = 20


@command("report")
@argument(
    "folder",
    "Holds transcripts, at any depth: *.json and *.jsonl.",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
)
@output_option("Write a page with plots, too.")
@model_option()
@preset_option
@flag("--lossless", "Fold only: leave nothing out.")
@json_option
def report_command(folder: Path, output: Path | None, model: str, preset: Preset | None, lossless: bool, as_json: bool) -> None:
    """What recorded sessions would have saved, by kind of text and by tool.

    Reads conversations in the formats of OpenAI and Anthropic, and Claude Code's JSONL. Nothing is stored.
    """
    from headroom.inspect import figures_of_folder, report_page  # pages and transcripts, which no other command needs

    if not folder.exists():
        raise click.BadParameter(f"cannot read {plain(str(folder))}: there is no such folder")
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
        raise click.exceptions.Exit(BAD_INPUT)


def _complain_of(problems: list[str]) -> None:
    for problem in problems[:MOST_COMPLAINTS]:
        complain(problem)
    if len(problems) > MOST_COMPLAINTS:
        complain(f"and {len(problems) - MOST_COMPLAINTS:,} more")


def _tell(figures: Figures) -> None:
    total = figures.total
    _tell_sums("kind", [*figures.by_kind(), ("all", total)])
    _tell_sums("tool", [*figures.by_tool(), ("all", total)])
    sums = [("every text once", total.before, total.saved), (f"all {total.requests:,} requests", total.sent_before, total.sent_saved)]
    rows = [(words, f"{before:,}", f"{saved:,}", _share(saved, before)) for words, before, saved in sums]
    tokens = "tokens" if figures.exact else "tokens, estimated"
    write_table([Column(tokens), *(Column(name, number=True) for name in ("before", "saved", "share"))], rows)


def _tell_sums(what: str, sums: list[tuple[str, Sum]]) -> None:
    numbers = ("texts", "shortened", "before", "saved", "share", "in all requests")
    rows = [
        (
            name,
            *(f"{number:,}" for number in (total.texts, total.shortened, total.before, total.saved)),
            _share(total.saved, total.before),
            _share(total.sent_saved, total.sent_before),
        )
        for name, total in sums
    ]
    write_table([Column(what), *(Column(number, number=True) for number in numbers)], rows)


def _share(saved: int, before: int) -> str:
    return f"{saved / before:.0%}" if saved and before else "-"

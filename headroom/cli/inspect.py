"""`headroom inspect`: a conversation before and after, as a page."""

from __future__ import annotations

from pathlib import Path

import click

from headroom.cli.command import argument, command, file_type, flag, model_option, output_option, preset_option
from headroom.cli.compress import Preset, config_for
from headroom.cli.shared import complain, progress, read, write_page

LIVE_URL = "http://127.0.0.1:8787"


@command("inspect")
@argument("file", "Messages as JSON, a transcript (JSONL), or any text.", metavar="[FILE|-]", type=file_type, required=False)
@output_option()
@model_option()
@preset_option
@flag("--lossless", "Fold only: leave nothing out.")
@click.option("--session", metavar="N", type=int, help="Only this conversation of the file, counted from 1.")
@flag("--live", "A request that a running proxy has seen, instead of a file.")
@click.option("--url", metavar="URL", default=LIVE_URL, help="The proxy's address, with --live.")
@click.option("--request", metavar="N", type=int, help="The request's number, with --live. [default: the newest]")
@click.option("--token", metavar="TOKEN", help="The proxy's token, with --live. [default: HEADROOM_TOKEN]")
def inspect_command(
    file: str | None,
    output: Path | None,
    model: str,
    preset: Preset | None,
    lossless: bool,
    session: int | None,
    live: bool,
    url: str,
    request: int | None,
    token: str | None,
) -> None:
    """Show a conversation before and after, block by block, as one HTML page.

    What was left out is highlighted, with the reason, the tokens, and what headroom_retrieve answers. Nothing is
    stored, and nothing is loaded from elsewhere.
    """
    from headroom.inspect import conversation_page, live_page  # pages and transcripts, which no other command needs

    if live == (file is not None):
        raise click.BadParameter("name a FILE, or say --live")
    if live:
        write_page(live_page(url, request, token), output)
        return
    assert file is not None
    data = read(file)
    with progress(f"reading {len(data) / 1e6:,.1f} MB", len(data) > 1_000_000):
        page, problems = conversation_page(data, file, model=model, config=config_for(preset), lossless=lossless, session=session)
    write_page(page, output)
    for problem in problems:
        complain(problem)

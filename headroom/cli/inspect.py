"""`headroom inspect`: a conversation before and after, as a page."""

from __future__ import annotations

from typing import Annotated

import typer

from headroom.cli.compress import Preset, config_for
from headroom.cli.shared import OutputOption, complain, complaints, progress, read, write_page

LIVE_URL = "http://127.0.0.1:8787"


def inspect_command(
    file: Annotated[str | None, typer.Argument(metavar="FILE|-", help="Messages as JSON, a transcript (JSONL), or any text.")] = None,
    output: OutputOption = None,
    model: Annotated[str, typer.Option(help="Whose tokens to count. [default: the transcript's own]")] = "",
    preset: Annotated[Preset | None, typer.Option(help="How much stays in sight.")] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Fold only: leave nothing out.")] = False,
    session: Annotated[int | None, typer.Option(help="Only this conversation of the file, counted from 1.")] = None,
    live: Annotated[bool, typer.Option("--live", help="A request that a running proxy has seen, instead of a file.")] = False,
    url: Annotated[str, typer.Option(metavar="URL", help="The proxy's address, with --live.")] = LIVE_URL,
    request: Annotated[int | None, typer.Option(help="The request's number, with --live. [default: the newest]")] = None,
    token: Annotated[str | None, typer.Option(help="The proxy's token, with --live. [default: HEADROOM_TOKEN]")] = None,
) -> None:
    """Show a conversation before and after, block by block, as one HTML page.

    What was left out is highlighted, with the reason, the tokens, and what headroom_retrieve answers. Nothing is
    stored, and nothing is loaded from elsewhere.
    """
    with complaints():
        from headroom.inspect import conversation_page, live_page  # pages and transcripts, which no other command needs

        if live == (file is not None):
            raise typer.BadParameter("name a FILE, or say --live")
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

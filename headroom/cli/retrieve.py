"""`headroom retrieve`: an original, or a part of it."""

from __future__ import annotations

from typing import Annotated

import typer

from headroom import retrieve
from headroom.cli.shared import StoreOption, complaints, opened, write
from headroom.documents import as_bytes


def retrieve_command(
    reference: Annotated[str, typer.Argument(metavar="REF", help="The reference in a marker.")],
    query: Annotated[str | None, typer.Argument(help="Words to look for; the best matches are written.")] = None,
    lines: Annotated[str | None, typer.Option(help='A range of lines of the original, e.g. "120-180".')] = None,
    offset: Annotated[int | None, typer.Option(help="Write from this character on.")] = None,
    store: StoreOption = None,
) -> None:
    """Write an original to stdout: byte for byte, or the part that is asked for."""
    with complaints():
        whole = query is None and lines is None
        try:
            found = retrieve(reference, query, lines, offset, store=opened(store))
        except ValueError as impossible:  # lines or an offset that cannot be
            raise typer.BadParameter(str(impossible)) from None
        write(as_bytes(found if whole or found.endswith("\n") else found + "\n"))

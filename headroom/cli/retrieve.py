"""`headroom retrieve`: an original, or a part of it."""

from __future__ import annotations

import click

from headroom import retrieve
from headroom.cli.command import argument, command, store_option
from headroom.cli.shared import opened, write
from headroom.documents import as_bytes


@command("retrieve")
@argument("reference", "The reference in a marker.", metavar="REF")
@argument("query", "Words to look for; the best matches are written.", metavar="[QUERY]", required=False)
@click.option("--lines", metavar="A-B", help='A range of lines of the original, e.g. "120-180".')
@click.option("--offset", metavar="N", type=int, help="Write from this character on.")
@click.option("--namespace", metavar="NAME", help="Look in this one. [default: HEADROOM_NAMESPACE, else default]")
@store_option
def retrieve_command(
    reference: str, query: str | None, lines: str | None, offset: int | None, namespace: str | None, store: str | None
) -> None:
    """Write an original to stdout: byte for byte, or the part that is asked for."""
    asked = [name for name, given in (("QUERY", query), ("--lines", lines), ("--offset", offset)) if given is not None]
    if len(asked) > 1:
        raise click.BadParameter(f"{' and '.join(asked)} do not go together: give one of QUERY, --lines and --offset")
    whole = query is None and lines is None
    try:
        found = retrieve(reference, query, lines, offset, store=opened(store), namespace=namespace)
    except ValueError as impossible:  # lines or an offset that cannot be
        raise click.BadParameter(str(impossible)) from None
    write(as_bytes(found if whole or found.endswith("\n") else found + "\n"))

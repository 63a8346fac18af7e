"""`headroom stats` and `headroom purge`: what the store holds, and deleting it."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from headroom import CompressionStore, SQLiteStore
from headroom.cli.shared import JsonOption, StoreOption, complaints, opened, write, write_table
from headroom.stores import default_store

NamespaceOption = Annotated[str | None, typer.Option("--namespace", metavar="NAME", help="Only this namespace's.")]
UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_AGE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?([smhdw])", re.ASCII)


def stats_command(store: StoreOption = None, namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """What the store holds."""
    with complaints():
        place = _store(store)
        held = place.stats(namespace) if _exists(place) else None
        figures: dict[str, int | str] = {
            "path": _name(place),
            "originals": held.entries if held else 0,
            "original_bytes": held.original_bytes if held else 0,
            "stored_bytes": held.stored_bytes if held else 0,
            "namespaces": held.namespaces if held else 0,
        }
        if as_json:
            write(json.dumps(figures).encode() + b"\n")
            return
        table = Table(box=SIMPLE_HEAD, show_header=False)
        for name, value in figures.items():
            table.add_row(name.replace("_", " "), Text(f"{value:,}" if isinstance(value, int) else value))
        write_table(table)


def purge_command(
    namespace: NamespaceOption = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help='Only what nobody used for so long: "90s", "30m", "12h", "7d", "2w".')
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete everything without asking.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete originals. Their markers stop to resolve."""
    with complaints():
        place = _store(store)
        seconds = None if older_than is None else age_in_seconds(older_than)
        if namespace is None and seconds is None and not yes:
            if not sys.stdin.isatty():
                raise typer.BadParameter("this deletes everything: say --yes, or which with --namespace or --older-than")
            typer.confirm(f"Delete every original in {_name(place)}?", abort=True, err=True)
        deleted = place.purge(namespace, seconds) if _exists(place) else 0
        words = f"{deleted:,} original{'' if deleted == 1 else 's'} deleted"
        write((json.dumps({"deleted": deleted}) if as_json else words).encode() + b"\n")


def age_in_seconds(age: str) -> float:
    """ "7d" as seconds. typer.BadParameter if it is no age."""
    match = _AGE.fullmatch(age.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{age!r} is no age: write a number and s, m, h, d or w, such as 7d")
    return float(match[1]) * UNITS[match[2]]


def _store(place: str | None) -> CompressionStore:
    return opened(place) or default_store()


def _exists(store: CompressionStore) -> bool:
    """Asking must not make a file where there is none."""
    return not isinstance(store, SQLiteStore) or store.path.exists()


def _name(store: CompressionStore) -> str:
    """Its path, or its URL without a password."""
    if isinstance(store, SQLiteStore):
        return str(store.path)
    scheme, separator, rest = str(getattr(store, "url", type(store).__name__)).partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"

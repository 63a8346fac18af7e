"""`headroom stats` and `headroom purge`: what the store holds, and deleting it."""

from __future__ import annotations

import json
import re
import sys

import click

from headroom import CompressionStore, SQLiteStore
from headroom.cli.command import command, flag, json_option, store_option
from headroom.cli.shared import is_terminal, opened, write
from headroom.cli.terminal import plain
from headroom.stores import default_store

UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_AGE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?([smhdw])", re.ASCII)
namespace_option = click.option("--namespace", metavar="NAME", help="Only this namespace's.")


@command("stats")
@store_option
@namespace_option
@json_option
def stats_command(store: str | None, namespace: str | None, as_json: bool) -> None:
    """What the store holds."""
    place = _store(store)
    held = place.stats(namespace) if _exists(place) else None
    figures: dict[str, int | str] = {
        "path": _name(place),
        "originals": held.entries if held else 0,
        "original_bytes": held.original_bytes if held else 0,
        "stored_bytes": held.stored_bytes if held else 0,
        "namespaces": held.namespaces if held else 0,
    }
    write((json.dumps(figures) if as_json else _lines(figures)).encode() + b"\n")


def _lines(figures: dict[str, int | str]) -> str:
    """A figure a line; a path stays in one piece, to be copied."""
    longest = max(map(len, figures))
    lines = [
        f"  {name.replace('_', ' '):{longest}}   {plain(value) if isinstance(value, str) else f'{value:,}'}"
        for name, value in figures.items()
    ]
    return "\n".join(["", *lines, ""])


@command("purge")
@namespace_option
@click.option("--older-than", metavar="AGE", help='Only what nobody used for so long: "90s", "30m", "12h", "7d", "2w".')
@flag("--yes", "Delete everything without asking.")
@store_option
@json_option
def purge_command(namespace: str | None, older_than: str | None, yes: bool, store: str | None, as_json: bool) -> None:
    """Delete originals. Their markers stop to resolve."""
    place = _store(store)
    seconds = None if older_than is None else age_in_seconds(older_than)
    if namespace is None and seconds is None and not yes:
        if not is_terminal(sys.stdin):
            raise click.BadParameter("this deletes everything: say --yes, or which with --namespace or --older-than")
        click.confirm(f"Delete every original in {plain(_name(place))}?", abort=True, err=True)
    deleted = place.purge(namespace, seconds) if _exists(place) else 0
    words = f"{deleted:,} original{'' if deleted == 1 else 's'} deleted"
    write((json.dumps({"deleted": deleted}) if as_json else words).encode() + b"\n")


def age_in_seconds(age: str) -> float:
    """ "7d" as seconds. click.BadParameter if it is no age."""
    match = _AGE.fullmatch(age.strip().lower())
    if match is None:
        raise click.BadParameter(f"{age!r} is no age: write a number and s, m, h, d or w, such as 7d")
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

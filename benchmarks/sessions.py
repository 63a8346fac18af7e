"""Recorded sessions replayed turn by turn: what is saved, and what of it the agent turns out to have needed.

    python benchmarks/sessions.py --limit 10                      ours beside cutting off the middle
    python benchmarks/sessions.py --limit 10 --peers all          every product, each installed on first use
    python benchmarks/sessions.py --by-kind --remaining --lost    where tokens and values go
    python benchmarks/sessions.py --split tune                    the sessions to tune by; check with --split check

Prints Markdown. docs/benchmarks.md explains the columns.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import findings
import peers
import recorded
from judge import Tally
from replays import Played, play
from tables import percent, percentile, table

HEAD = ["", "sessions", "turns", "saved %", "cost %", "net %", "recall %", "values", "missed turns", "reachable %"]
HEAD += ["broke", "touch", "ms p50", "ms p95", "failed"]
SHARES = ("saved", "cost", "net", "recall")


def by_source(played: list[Played]) -> dict[str, Tally]:
    """The sums of each source, in the order of the names."""
    sums: dict[str, Tally] = {}
    for one in sorted(played, key=lambda one: one.session.source):
        sums.setdefault(one.session.source, Tally()).add(one.tally)
    return sums


def total(sums: dict[str, Tally]) -> Tally:
    """The sum of all sources."""
    whole = Tally()
    for tally in sums.values():
        whole.add(tally)
    return whole


def means(sums: dict[str, Tally]) -> dict[str, float]:
    """The mean of the sources' shares: each source counts the same, whatever its size. Sources without a session do not."""
    counted = [tally for tally in sums.values() if tally.sessions]
    return {name: sum(getattr(tally, name) for tally in counted) / max(1, len(counted)) for name in SHARES}


def row(name: str, tally: Tally, retrieves: bool) -> list[str]:
    """A row of the table."""
    if not tally.sessions:
        return [name, "0", *["–"] * (len(HEAD) - 3), str(tally.failed)]
    values = [percent(tally.saved), percent(tally.cost), percent(tally.net), percent(tally.recall, 2)]
    values += [str(tally.wanted), str(tally.turns_that_miss), percent(tally.reachable, 2) if retrieves else "–"]
    times = [f"{percentile(tally.milliseconds, share):.1f}" for share in (0.5, 0.95)]
    return [name, str(tally.sessions), str(tally.turns), *values, str(tally.broke), str(tally.touched), *times, str(tally.failed)]


def mean_row(name: str, sums: dict[str, Tally]) -> list[str]:
    """The row of the means; what has no mean stays empty."""
    shares = means(sums)
    cells = [percent(shares["saved"]), percent(shares["cost"]), percent(shares["net"]), percent(shares["recall"], 2)]
    return [name, "", "", *cells, *[""] * (len(HEAD) - 7)]


def side_by_side(product: peers.Product, sums: dict[str, Tally]) -> list[str]:
    """A product's row: the means of the shares, and the sums of all that is counted."""
    whole = row(product.name, total(sums), product.adapter == peers.OURS.adapter)
    return [*whole[:3], *mean_row("", sums)[3:7], *whole[7:]] if whole[1] != "0" else whole


def print_tables(products: list[peers.Product], played: list[list[Played]]) -> None:
    """One table for each product, and one with all of them beside each other."""
    every = [by_source(own) for own in played]
    for product, sums in zip(products, every, strict=True):
        retrieves = product.adapter == peers.OURS.adapter
        rows = [row(source, tally, retrieves) for source, tally in sums.items()]
        rows += [mean_row("mean of sources", sums), row("all", total(sums), retrieves)]
        table(product.name, HEAD, rows)
    if len(products) > 1:
        rows = [side_by_side(product, sums) for product, sums in zip(products, every, strict=True)]
        table("Side by side (shares: means of the sources)", HEAD, rows)


def as_json(products: list[peers.Product], played: list[list[Played]]) -> list[dict[str, Any]]:
    """Everything that was measured."""
    return [
        {
            "product": product.name,
            "options": product.options,
            "mean of sources": means(by_source(own)),
            "sessions": [
                {
                    "source": one.session.source,
                    "name": one.session.name,
                    **vars(one.tally),
                    "lost": [vars(loss) for loss in one.lost],
                    "kinds": one.kinds,
                }
                for one in own
            ],
        }
        for product, own in zip(products, played, strict=True)
    ]


def our_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings of our side, as its adapter takes them."""
    given = {"preset": arguments.preset, "budget": arguments.budget, "scale": arguments.scale, "lossless": arguments.lossless}
    options = {name: value for name, value in given.items() if value}
    if arguments.budget:
        options["budget"] = [int(arguments.budget[0]), float(arguments.budget[1])]
    return options


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recorded.add_options(parser)
    parser.add_argument("--peers", default=peers.DEFAULT_PEERS, help=f"a,b,c of {', '.join(peers.PEERS)}; or all, or none")
    parser.add_argument("--preset", choices=("gentle", "balanced", "firm"))
    parser.add_argument("--budget", nargs=2, metavar=("TOKENS", "SHARE"), help="in place of the general budget")
    parser.add_argument("--scale", type=float, help="multiply every budget")
    parser.add_argument("--lossless", action="store_true", help="fold only")
    parser.add_argument("--by-kind", action="store_true", help="what each kind of output saved, and which values it lost")
    parser.add_argument("--remaining", action="store_true", help="what the tokens that are still sent belong to")
    parser.add_argument("--lost", action="store_true", help="every lost value, where it stood and who asked for it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything measured")
    arguments = parser.parse_args()
    try:
        peers.named(arguments.peers)
    except ValueError as unknown:
        parser.error(str(unknown))
    return arguments


def main() -> None:
    """Measure and print."""
    arguments = parsed()
    ours = peers.Product(peers.OURS.name, peers.OURS.adapter, options=our_options(arguments))
    products = [ours, *peers.named(arguments.peers)]
    sessions = recorded.chosen(arguments)
    if not sessions:
        raise SystemExit(f"no recorded sessions under {arguments.sessions.name}: --sessions names a folder of them")
    played = play(products, sessions)
    print_tables(products, played)
    if arguments.by_kind:
        findings.print_by_kind(played[0])
    if arguments.remaining:
        findings.print_remaining(played[0])
    if arguments.lost:
        findings.print_lost(played[0])
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(products, played)))


if __name__ == "__main__":
    main()

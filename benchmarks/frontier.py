"""How much can be saved before values are missed: ours at five budgets and lossless, cutting off the middle at five sizes.

python benchmarks/frontier.py --limit 10                   print the table
python benchmarks/frontier.py --limit 10 --peers all       the peers beside it
python benchmarks/frontier.py --limit 10 --write           ... and put it into docs/benchmarks.md and docs/frontier.svg
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import peers
import recorded
from judge import Tally
from peers import Product
from plot import Point, Series, scatter
from replays import play
from sessions import by_source, means, total
from tables import markdown, percent, percentile, write_between

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCALES = (0.35, 0.6, 1.0, 1.8, 3.5)
"""Times the default budgets of all kinds."""
CUTS = (300, 600, 1_000, 2_000, 4_000)
"""Characters kept of each end."""
HEAD = ["", "saved %", "cost %", "net %", "recall %", "ms p50", "ms p95"]


def budgets() -> list[Product]:
    """Ours, from the smallest budget to none."""
    scaled = [replace(peers.OURS, name=f"ours, budget × {scale:g}", options={"scale": scale}) for scale in SCALES]
    return [*scaled, replace(peers.OURS, name="ours, lossless", options={"lossless": True})]


def cuts() -> list[Product]:
    """Cutting off the middle, from the shortest."""
    cutting = peers.PEERS["head-and-tail"]
    return [replace(cutting, name=f"first and last {size:,} characters", options={"characters": size}) for size in CUTS]


def row(name: str, sums: dict[str, Tally]) -> list[str]:
    """Means of the sources, and the times of all turns."""
    shares = means(sums)
    times = total(sums).milliseconds
    numbers = [percent(shares["saved"]), percent(shares["cost"]), percent(shares["net"]), percent(shares["recall"], 2)]
    return [name, *numbers, f"{percentile(times, 0.5):.1f}", f"{percentile(times, 0.95):.1f}"]


def point(label: str, sums: dict[str, Tally]) -> Point:
    """A product in the plot."""
    shares = means(sums)
    return Point(100 * shares["saved"], 100 * shares["recall"], label)


def drawn(products: list[Product], every: list[dict[str, Tally]]) -> str:
    """The plot: one line of ours, one of cutting, a dot for each peer."""
    points = [point(_label(product), sums) for product, sums in zip(products, every, strict=True)]
    ours = len(budgets())
    cutting = ours + len(cuts())
    series = [Series("ours, by budget", points[:ours]), Series("first and last characters kept", points[ours:cutting])]
    if points[cutting:]:
        series.append(Series("other products", points[cutting:], joined=False))
    return scatter("What is saved, and what the agent still finds", "tokens saved", "values still readable (recall)", series)


def _label(product: Product) -> str:
    if "scale" in product.options:
        return f"× {product.options['scale']:g}"
    if "characters" in product.options:
        return f"{product.options['characters']:,}"
    return "lossless" if product.options.get("lossless") else product.name


def caption(arguments: argparse.Namespace, sessions: list[recorded.Session], turns: int) -> str:
    """What was measured, so that it can be measured again."""
    sources = len({session.source for session in sessions})
    chosen = f"--limit {arguments.limit} --max-turns {arguments.max_turns} --peers {arguments.peers}"
    return f"{turns} turns of {len(sessions)} sessions from {sources} sources; means of the sources. `frontier.py {chosen}`."


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recorded.add_options(parser, limit=10)
    parser.add_argument("--peers", default="none", help=f"a,b,c of {', '.join(peers.PEERS)}; or all, or none")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md and docs/frontier.svg")
    arguments = parser.parse_args()
    others = [peer for peer in peers.named(arguments.peers) if peer.name != "head-and-tail"]
    products = [*budgets(), *cuts(), *others]
    sessions = recorded.chosen(arguments)
    if not sessions:
        raise SystemExit(f"no recorded sessions under {arguments.sessions.name}: --sessions names a folder of them")
    every = [by_source(own) for own in play(products, sessions)]
    rows = [row(product.name, sums) for product, sums in zip(products, every, strict=True)]
    text = f"{markdown(HEAD, rows)}\n\n{caption(arguments, sessions, total(every[-1]).turns)}"
    print(text)
    if arguments.write:
        (DOCS / "frontier.svg").write_text(drawn(products, every))
        write_between(DOCS / "benchmarks.md", "frontier", text)


if __name__ == "__main__":
    main()

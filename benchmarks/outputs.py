"""Single tool outputs by kind: what folding saves, what a digest saves, and what each output was taken for.

    python benchmarks/outputs.py                            a folder of folders of outputs, recorded beside the checkout
    python benchmarks/outputs.py --outputs FOLDER           other ones: FOLDER/<kind>/<any name>
    python benchmarks/outputs.py --peers headroom-ai        tokens that a peer saves, beside ours

Prints Markdown. Each output is the answer to one call in a conversation of its own, without a question to go by.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import judge
import peers
from replays import Player
from tables import percent, percentile, table

FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus" / "outputs"
OUTPUT_AT = 2
"""Where the output stands in its conversation."""
WARM_UP = 3
"""Outputs given before the clock counts: code is loaded on first need."""


@dataclass
class Sums:
    """What one product made of the outputs of one folder."""

    before: int = 0
    after: int = 0
    taken_for: Counter[str] = field(default_factory=Counter)
    milliseconds_a_10_kb: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def saved(self) -> float:
        """Share of the tokens."""
        return 1 - self.after / max(1, self.before)

    def add(self, other: Sums) -> None:
        """Add another folder's."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def conversation(text: str) -> list[judge.Message]:
    """The output as an answer to a call."""
    call = {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": "{}"}}
    return [
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": text},
    ]


def measure(player: Player, text: str, sums: Sums) -> None:
    """Add one output. A product that fails at it leaves it as it was."""
    messages = conversation(text)
    before = judge.message_tokens(messages[OUTPUT_AT])
    sums.before += before
    try:
        answer: dict[str, Any] = player.ask(do="turn", keep=0, messages=messages)
        if len(answer["messages"]) != len(messages):
            raise RuntimeError(f"{len(messages)} messages went in, {len(answer['messages'])} came out")
    except RuntimeError as broken:
        print(f"{player.product.name} failed: {broken}", file=sys.stderr)
        player.close()
        sums.failed += 1
        sums.after += before
        return
    sums.after += judge.message_tokens(answer["messages"][OUTPUT_AT])
    sums.taken_for[answer["kinds"].get(str(OUTPUT_AT), "")] += 1
    sums.milliseconds_a_10_kb.append(answer["ms"] / max(1, len(text)) * 10_000)


def measure_all(products: list[peers.Product], folders: dict[str, list[str]]) -> dict[str, list[Sums]]:
    """Folder -> the sums of each product."""
    players = [Player(product) for product in products]
    try:
        for player in players:
            for text in [text for texts in folders.values() for text in texts[:1]][:WARM_UP]:
                measure(player, text, Sums())
        found: dict[str, list[Sums]] = {}
        for name, texts in folders.items():
            found[name] = [Sums() for _ in products]
            for text in texts:
                for player, sums in zip(players, found[name], strict=True):
                    measure(player, text, sums)
        return found
    finally:
        for player in players:
            player.close()


def row(name: str, files: int, sums: list[Sums]) -> list[str]:
    """A folder's row: the first product digests, the second folds, the rest are peers."""
    digest, fold, *others = sums
    kinds = ", ".join(f"{kind} {count}" for kind, count in digest.taken_for.most_common())
    times = [f"{percentile(digest.milliseconds_a_10_kb, share):.2f}" for share in (0.5, 0.95)]
    return [name, str(files), f"{digest.before:,}", _saved(fold), _saved(digest), *times, *map(_saved, others), kinds]


def _saved(sums: Sums) -> str:
    return percent(sums.saved) + (f" ({sums.failed} failed)" if sums.failed else "")


def read(folder: Path, limit: int) -> dict[str, list[str]]:
    """Folder name -> its outputs, in the order of the names."""
    found = {}
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(path for path in inner.iterdir() if path.is_file())
        found[inner.name] = [path.read_text(errors="replace") for path in files[: limit or None]]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--limit", type=int, default=0, help="outputs of each folder (default: all)")
    parser.add_argument("--peers", default="none", help=f"a,b,c of {', '.join(peers.PEERS)}; or all, or none")
    arguments = parser.parse_args()
    if not arguments.outputs.is_dir():
        raise SystemExit(f"there is no folder {arguments.outputs.name}: --outputs names a folder of folders of outputs")
    others = peers.named(arguments.peers)
    folders = read(arguments.outputs, arguments.limit)
    found = measure_all([peers.OURS, replace(peers.OURS, options={"lossless": True}), *others], folders)
    rows = [row(name, len(folders[name]), sums) for name, sums in found.items()]
    everything = [Sums() for _ in range(2 + len(others))]
    for sums in found.values():
        for whole, own in zip(everything, sums, strict=True):
            whole.add(own)
    rows.append(row("all", sum(map(len, folders.values())), everything))
    head = ["", "files", "tokens", "folded %", "digested %", "ms a 10 KB p50", "p95", *(f"{peer.name} %" for peer in others), "taken for"]
    table("Tokens saved on single outputs", head, rows)


if __name__ == "__main__":
    main()

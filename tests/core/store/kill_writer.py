"""Puts texts into a store and says of each when it is acknowledged, until it is killed.

python -m tests.core.store.kill_writer PATH ROUND
"""

from __future__ import annotations

import hashlib
import itertools
import random
import sys

from headroom.core.store import SQLiteStore


def text_of(round_number: int, number: int) -> str:
    """What is put as the `number`-th text of a round: small ones and large ones, the same in every process."""
    dice = random.Random(f"{round_number} {number}")
    word = hashlib.sha256(f"{round_number} {number}".encode()).hexdigest()
    return f"{round_number} {number} {word}\n" + "".join(dice.choices("abcdef \n", k=dice.choice((10, 300, 4_000, 60_000))))


def main() -> None:
    """Write until killed; one line `NUMBER REFERENCE` for each text, written when `put_many` has returned."""
    store, round_number = SQLiteStore(sys.argv[1]), int(sys.argv[2])
    for number in itertools.count(0, 3):
        numbers = range(number, number + 1 + number % 3)
        references = store.put_many([text_of(round_number, each) for each in numbers])
        for each, reference in zip(numbers, references, strict=True):
            sys.stdout.write(f"{each} {reference}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Products side by side through recorded sessions: every turn of a session goes to each of them in turn."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from judge import Loss, Prepared, Replay, Tally, Turn, prepare
from peers import Product, Side
from recorded import Session


@dataclass
class Played:
    """A session as one product played it."""

    session: Session
    prepared: Prepared
    tally: Tally
    lost: list[Loss] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)
    """What the product took each message for, where it says so."""
    sent: list[int] = field(default_factory=list)
    """Tokens of each message as it left, over all prompts."""
    last_tokens: list[int] = field(default_factory=list)
    """Tokens of each message of the last prompt."""


class Player:
    """One product's process, started again if a session broke it."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self._side: Side | None = None

    def ask(self, **order: Any) -> dict[str, Any]:
        """The answer. RuntimeError if the product failed."""
        if self._side is None:
            self._side = self.product.start()
        return self._side.demand(**order)

    def retrieve(self, reference: str) -> str:
        """The original behind a reference."""
        return str(self.ask(do="retrieve", reference=reference)["text"])

    def close(self) -> None:
        """End the process; the next order starts another."""
        if self._side is not None:
            self._side.close()
            self._side = None


class _Game:
    """One product, one session."""

    def __init__(self, player: Player, session: Session, prepared: Prepared) -> None:
        self._player = player
        self._replay = Replay(prepared)
        self.played = Played(session, prepared, self._replay.tally, self._replay.lost, sent=self._replay.sent)
        self._known = 0
        self._over = False

    def turn(self, turn: Turn) -> None:
        if self._over:
            return
        try:
            self._ask(turn)
        except (RuntimeError, ValueError) as broken:
            self._fail(broken)

    def _ask(self, turn: Turn) -> None:
        messages = self.played.prepared.messages[self._known : turn.at]
        answer = self._player.ask(do="turn", keep=self._known, messages=messages)
        self._known = turn.at
        self._replay.turn(turn, answer["same"], answer["messages"], answer["ms"], answer["references"], self._player.retrieve)
        self.played.kinds.update({int(index): kind for index, kind in answer["kinds"].items()})
        self.played.last_tokens = self._replay.tokens

    def _fail(self, broken: Exception) -> None:
        """What it did so far does not count: other products' numbers are of whole sessions."""
        session = self.played.session
        print(f"{self._player.product.name} failed at {session.source} {session.name}: {broken}", file=sys.stderr)
        self._player.close()
        self.played = Played(session, self.played.prepared, Tally(failed=1))
        self._over = True


def play(products: Sequence[Product], sessions: Iterable[Session]) -> list[list[Played]]:
    """What each product (in the order given) made of each session."""
    players = [Player(product) for product in products]
    played: list[list[Played]] = [[] for _ in products]
    try:
        for session in sessions:
            prepared = prepare(session.messages)
            games = [_Game(player, session, prepared) for player in players]
            for turn in prepared.turns:
                for game in games:
                    game.turn(turn)
            for own, game in zip(played, games, strict=True):
                own.append(game.played)
    finally:
        for player in players:
            player.close()
    return played

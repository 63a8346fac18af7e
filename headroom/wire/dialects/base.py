"""What one dialect knows about its requests and whole responses. Three classes follow this contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from headroom.wire.hidden import HiddenTurns, Json, Round


class Dialect(Protocol):
    """Reads what the model said, and writes the two things that follow from it. Nothing here changes its arguments."""

    def read(self, response: Mapping[str, Any]) -> Round:
        """What a whole response says. AttributeError, KeyError, TypeError and the like if it is none."""

    def visible(self, response: Mapping[str, Any], rounds: list[Round], offered: bool) -> Json:
        """The response for the client: the last round's, with what all rounds said and without our calls.

        `offered`: our tool is in the list because of us, and is taken out where the provider repeats the list.
        """

    def follow_up(self, body: Mapping[str, Any], said: Round, answers: Mapping[str, str]) -> Json:
        """The next request: `body`, what the model said to it, and our answers."""

    def remember(self, messages: list[Any], rounds: list[Round], turns: HiddenTurns) -> None:
        """Keep a turn under what the client, which sent `messages`, will send back of it."""

    def restored(self, body: Mapping[str, Any], sent: list[Any], turns: HiddenTurns, answer: Answer) -> list[Any]:
        """`sent` (the messages of `body`, compressed) with hidden rounds put back; the same list if there are none."""


class Answer(Protocol):
    """Call id -> answer of the calls of a round."""

    def __call__(self, said: Round, /) -> dict[str, str]: ...


def given(part: Json, *names: str) -> Json:
    """A copy of `part` without those of `names` that hold nothing: providers refuse some of their own empty fields."""
    return {key: value for key, value in part.items() if key not in names or value}

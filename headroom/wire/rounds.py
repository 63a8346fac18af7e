"""The round trips of one request: what to send, and what the client sees, while `headroom_retrieve` is answered between.

Sans-IO: whoever holds the connection sends `body`, hands over what comes back, and sends what it is told to.

    rounds = Rounds("anthropic", body, service)
    response = send(rounds.body)
    while (following := rounds.take(response)) is not None:
        response = send(following)
    return rounds.response
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from headroom.core.result import CompressResult
from headroom.savings import Savings
from headroom.service import CompressionService
from headroom.wire.bodies import CompressedBody, acompress_body, compress_body, messages_of, with_messages
from headroom.wire.dialects import WHOLE
from headroom.wire.hidden import HiddenTurns, Round, hidden_turns_of
from headroom.wire.offer import Offer, offer
from headroom.wire.refusals import mended, without_answers
from headroom.wire.streams import RoundStream, stream_of

MOST_ROUNDS = 8


class Rounds:
    """One request of a client and the round trips that it takes.

    `dialect`: "openai", "anthropic" or "responses". `body`: the client's request, never changed. `retrieval` off: texts
    are folded and no tool is offered. `most_rounds`: how often the model may look something up before it must go on.

    Nothing here raises for what a client or a provider may write: what cannot be read passes as it came.
    """

    def __init__(
        self,
        dialect: str,
        body: Mapping[str, Any],
        service: CompressionService,
        *,
        retrieval: bool = True,
        most_rounds: int = MOST_ROUNDS,
        turns: HiddenTurns | None = None,
    ) -> None:
        self._start(dialect, body, service, retrieval, most_rounds, turns)
        self._begin(compress_body(body, dialect, service, lossless=self._offer.lossless or None))

    @classmethod
    async def acreate(
        cls,
        dialect: str,
        body: Mapping[str, Any],
        service: CompressionService,
        *,
        retrieval: bool = True,
        most_rounds: int = MOST_ROUNDS,
        turns: HiddenTurns | None = None,
    ) -> Rounds:
        """The same for asynchronous callers: a large body is compressed off the event loop."""
        self = cls.__new__(cls)
        self._start(dialect, body, service, retrieval, most_rounds, turns)
        compressed = await acompress_body(body, dialect, service, lossless=self._offer.lossless or None)
        if self._offer.ours and len(self.turns):  # what is put back may have to be asked of the store
            await asyncio.to_thread(self._begin, compressed)
        else:
            self._begin(compressed)
        return self

    @classmethod
    def counting(cls, dialect: str, body: Mapping[str, Any], service: CompressionService, *, retrieval: bool = True) -> Rounds:
        """For requests that only ask how many tokens another one would have: the same body, and nothing counted as saved."""
        silent = copy.copy(service)
        silent.savings = Savings()
        return cls(dialect, body, silent, retrieval=retrieval, turns=hidden_turns_of(service))

    def anew(self) -> Rounds:
        """The same request from its first round on, for when it is tried again: nothing is compressed twice."""
        again = copy.copy(self)
        again.done, again._mended, again.response, again.body = [], set(), None, self._first_body
        return again

    def _start(
        self, dialect: str, body: Mapping[str, Any], service: CompressionService, retrieval: bool, most: int, turns: HiddenTurns | None
    ) -> None:
        self.dialect = dialect
        self.service = service
        self._whole = WHOLE[dialect]
        self._client_body = body
        self._most_rounds = most
        self.turns = hidden_turns_of(service) if turns is None else turns
        offered = retrieval and not service.lossless and not (self.turns.takes_no_tools(self._model) and not body.get("tools"))
        readable = messages_of(body, dialect) is not None
        self._offer = offer(body, dialect, retrieval=offered, known_thread=self._knows_thread()) if readable else Offer(False, True)
        self.done: list[Round] = []
        """The round trips that are over."""
        self._mended: set[str] = set()
        self.body: Mapping[str, Any] = body
        """The request to send. The client's own object if nothing in it is changed."""
        self.response: Any = None
        """The response for the client, once `take()` has returned None."""
        self.result: CompressResult | None = None
        """What `compress()` made of the messages; None if it failed or there was nothing to read."""

    def _begin(self, compressed: CompressedBody) -> None:
        self.result = compressed.result
        body = self._with_known_id(self._offer.applied(compressed.body))
        self.body = self._restored(body) if self._offer.ours and len(self.turns) else body
        self._first_body = self.body

    @property
    def retrieves(self) -> bool:
        """Whether our tool is in the request because of us, so that answers may need more rounds."""
        return self._offer.ours

    @property
    def changed(self) -> bool:
        """Whether any text of the request is shorter than it came."""
        return self.result is not None and any(block.changed for block in self.result.blocks)

    # --- whole responses -----------------------------------------------------------------------------------------------

    def take(self, response: Any) -> Mapping[str, Any] | None:
        """A response to the newest body: the next body to send, or None, and then `response` is the client's."""
        if not self.retrieves:
            self.response = response
            return None
        try:
            said = self._whole.read(response)
            if self.goes_on(said):
                return self.following(said)
            self.finish(said)
            self.response = self._whole.visible(response, self.done, offered=True) if self._is_touched() else response
        except Exception as error:  # a response that is none: the client knows best what to make of it
            self.unreadable(error)
            self.response = response
        return None

    async def atake(self, response: Any) -> Mapping[str, Any] | None:
        """The same for asynchronous callers: the store is asked off the event loop."""
        return await asyncio.to_thread(self.take, response)

    def _is_touched(self) -> bool:
        """Whether the client must see something else than what came last."""
        return self.dialect == "responses" or len(self.done) > 1 or bool(self.done[-1].calls)

    # --- streams -------------------------------------------------------------------------------------------------------

    def stream(self) -> RoundStream:
        """What takes the streams of all round trips, one after the other, and gives the client one."""
        return stream_of(self)

    # --- refusals ------------------------------------------------------------------------------------------------------

    def refused(self, status: int, answer: Any) -> Mapping[str, Any] | None:
        """A better body, if the provider refused the newest one for what we made of it; None: the client gets the error.

        `status` and `answer`: of the HTTP response, the answer as parsed JSON, text or bytes. Every cure is tried once.
        """
        if not self.retrieves or not 400 <= status < 500 or status in (401, 403, 408, 409, 429):
            return None
        try:
            if self.done and "answers" not in self._mended:
                self._mended.add("answers")
                self.body = without_answers(self.body, self.done[-1])
                return self.body
            cure, better = mended(self.body, self._client_body, self.dialect, answer)
            if better is None or cure in self._mended or (cure == "tools" and self._offer.tools is None):
                return None
            self._mended.add(cure)
            if cure == "tools":
                self.turns.note_without_tools(self._model)
                self._offer = Offer(ours=False, lossless=True)
                self.body = compress_body(self._client_body, self.dialect, self.service, lossless=True).body
            else:
                self.body = better
            return self.body
        except Exception as error:  # an error that cannot be read is the client's
            self.unreadable(error)
            return None

    # --- what streams use too ------------------------------------------------------------------------------------------

    def goes_on(self, said: Round) -> bool:
        """Whether another round trip follows: only our calls are open, and not too many were made before."""
        return said.goes_on and len(self.done) < self._most_rounds

    def following(self, said: Round) -> Mapping[str, Any]:
        """Answer the calls of a round; the body that goes on from there."""
        said.last = len(self.done) + 1 >= self._most_rounds
        self.done.append(said)
        self.body = self._whole.follow_up(self.body, said, said.answered(self.service))
        return self.body

    def finish(self, said: Round) -> None:
        """The last round is over: remember what of this turn the client does not see."""
        self.done.append(said)
        if self._client_body.get("thread") and (self._offer.tools or self._knows_thread()):
            self.turns.note_thread(said.id)
        if any(known.calls for known in self.done):
            try:
                messages = messages_of(self._client_body, self.dialect)
                assert messages is not None
                self._whole.remember(messages, self.done, self.turns)
            except Exception as error:  # without it everything works too
                self.unreadable(error)

    def _with_known_id(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A client may go on from the response that its stream began with; the provider's last one holds all rounds."""
        newer = self.turns.renamed(body.get("previous_response_id"))
        if newer is not None:
            return {**body, "previous_response_id": newer}
        thread = body.get("thread")
        newer = self.turns.renamed(thread.get("previous_message_id")) if isinstance(thread, Mapping) else None
        return body if newer is None else {**body, "thread": {**body["thread"], "previous_message_id": newer}}

    def _knows_thread(self) -> bool:
        thread = self._client_body.get("thread") if isinstance(self._client_body, Mapping) else None
        last_id = thread.get("previous_message_id") if isinstance(thread, Mapping) else None
        return self.turns.knows_thread(self.turns.renamed(last_id) or last_id)

    def _restored(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """`body` with the hidden rounds of earlier turns back in their places."""
        try:
            sent, messages = messages_of(body, self.dialect), messages_of(self._client_body, self.dialect)
            if sent is None or messages is None or len(sent) != len(messages):  # a hook has changed more than texts
                return body
            restored = self._whole.restored(self._client_body, sent, self.turns, lambda said: said.answered(self.service))
            return body if restored is sent else with_messages(body, self.dialect, restored)
        except Exception as error:  # without them everything works too
            self.unreadable(error)
            return body

    def unreadable(self, error: Exception) -> None:
        """Something could not be read and passes as it came: counted, and warned of once."""
        self.service.failed(error, self._model)

    @property
    def _model(self) -> str:
        return str(self._client_body.get("model") or "")

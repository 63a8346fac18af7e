"""`HeadroomCallbackHandler`: watches what models are sent, and says what has been and could be saved. Changes nothing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage

from headroom import CompressionService, CompressionStore, CompressResult, MemoryStore, retrieve
from headroom.integrations.langchain.messages import as_dicts

_SCRATCH_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """One call of a chat model: tokens of the texts in its messages, as the handler saw them."""

    run_id: UUID
    model: str
    tokens: int
    tokens_saved: int
    """Removed before the messages came here (by the middleware, a hook, wrapped tools), as far as the originals are found."""
    tokens_that_could_be_saved: int
    """What compressing them as they are would remove. A HeadroomChatModel does that after this handler has looked."""


class HeadroomCallbackHandler(BaseCallbackHandler):
    """Counts, for each call of a chat model, the tokens that were saved already and those that could be.

    Pass it as any callback. `store` and `namespace`: where the originals of what was shortened are looked up (default:
    the user's own store). What could be saved is tried in memory and thrown away. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        store: CompressionStore | None = None,
        namespace: str | None = None,
        most_remembered: int = 100,
    ) -> None:
        options: dict[str, Any] = {} if namespace is None else {"namespace": namespace}
        self._originals = CompressionService(store=store, **options)
        self._trial = CompressionService(store=MemoryStore(max_bytes=_SCRATCH_BYTES), **options)
        self._counter = CompressionService(store=MemoryStore(max_bytes=0))
        self._lock = threading.Lock()
        self._runs: deque[ObservedRun] = deque(maxlen=most_remembered)
        self._totals = {"runs": 0, "tokens": 0, "tokens_saved": 0, "tokens_that_could_be_saved": 0}

    @property
    def runs(self) -> list[ObservedRun]:
        """The newest runs, oldest first."""
        with self._lock:
            return list(self._runs)

    @property
    def tokens_saved(self) -> int:
        """Tokens that were saved before the messages came here, in all runs."""
        return self._totals["tokens_saved"]

    @property
    def tokens_that_could_be_saved(self) -> int:
        """Tokens that could be saved beyond that, in all runs."""
        return self._totals["tokens_that_could_be_saved"]

    def summary(self) -> dict[str, int]:
        """All figures as one dict, fit for JSON."""
        with self._lock:
            return dict(self._totals)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any] | None,
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **others: Any,
    ) -> None:
        """Look at the messages of a call."""
        model = _model_name(metadata, others.get("invocation_params"))
        for conversation in messages:
            try:
                result = self._trial.compress(as_dicts(conversation), model)
            except Exception as error:  # a message of a kind that nobody has seen yet
                self._trial.failed(error, model)
                continue
            if result is not None:
                self._remember(ObservedRun(run_id, model, result.tokens_before, self._saved_before(result, model), result.tokens_saved))

    def _remember(self, run: ObservedRun) -> None:
        with self._lock:
            self._runs.append(run)
            self._totals["runs"] += 1
            for name in ("tokens", "tokens_saved", "tokens_that_could_be_saved"):
                self._totals[name] += getattr(run, name)

    def _saved_before(self, result: CompressResult, model: str) -> int:
        """Of the texts that came shortened: their originals' tokens, less their own."""
        saved = 0
        for block in result.blocks:
            if block.reference is None or block.changed:
                continue
            original = self._original(block.reference)
            if original is not None:
                saved += self._tokens_of(original, model) - block.tokens_before
        return saved

    def _tokens_of(self, text: str, model: str) -> int:
        counted = self._counter.compress([{"role": "assistant", "content": text}], model)
        return 0 if counted is None else counted.tokens_before  # an assistant's words are counted, and never touched

    def _original(self, reference: str) -> str | None:
        try:
            return retrieve(reference, store=self._originals.store, namespace=self._originals.config.namespace)
        except Exception:  # it has expired, or lies in another store: what was saved there is not known here
            return None


def _model_name(metadata: Mapping[str, Any] | None, parameters: object) -> str:
    named = (metadata or {}).get("ls_model_name")
    if isinstance(named, str):
        return named
    given = parameters if isinstance(parameters, Mapping) else {}
    return next((given[key] for key in ("model", "model_name") if isinstance(given.get(key), str)), "")

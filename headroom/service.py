"""compress() and headroom_retrieve for programs that must go on whatever happens: what every integration is built on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from headroom.core.config import CompressConfig
from headroom.core.hooks import CompressionHooks, checked_hooks
from headroom.core.pipeline import compress
from headroom.core.redaction import WithholdingHooks, redacts
from headroom.core.result import CompressResult
from headroom.core.store import CompressionStore, default_store
from headroom.core.types import Message
from headroom.savings import Savings
from headroom.tools.retrieve import call as answer_call

logger = logging.getLogger("headroom")

WORTH_A_THREAD = 30_000
"""Characters: below, handing the work to another thread takes longer than the work."""


class CompressionService:
    """Compress requests with one set of options, fail open, count, and answer the tool. Safe to share between threads.

    Takes what `compress()` takes: `config` and fields of it, `store`, `hooks`, `lossless`. A mistyped option raises
    ConfigError here, at once; after that nothing does.
    """

    def __init__(
        self,
        *,
        config: CompressConfig | None = None,
        store: CompressionStore | None = None,
        hooks: CompressionHooks | None = None,
        lossless: bool = False,
        **options: Any,
    ) -> None:
        CompressConfig.check_names(options, also=("hooks", "config", "store", "lossless"))
        self.config = (CompressConfig.from_env() if config is None else config).with_options(**options)
        self.store = store
        self.hooks = checked_hooks(hooks)
        self._hooks = WithholdingHooks(hooks, self._withheld) if hooks is not None and redacts(hooks) else hooks
        self.lossless = lossless
        self.savings = Savings()
        self._warned = False

    def compress(self, messages: Sequence[Message], model: str = "", *, lossless: bool | None = None) -> CompressResult | None:
        """`compress()` with this service's options; None if it failed, which is counted, logged, and warned of once.

        `lossless`, if given, is used in place of the service's own: fold only, where no tool is at hand.
        """
        fold_only = self.lossless if lossless is None else lossless
        try:
            result = compress(messages, model, config=self.config, store=self.store, hooks=self._hooks, lossless=fold_only)
            self.savings.add(result)
        except Exception as error:
            self.failed(error, model)
            return None
        trouble = next((block.reason for block in result.blocks if block.failed), None)
        if trouble is not None:
            self._warn(trouble)
        return result

    async def acompress(self, messages: Sequence[Message], model: str = "", *, lossless: bool | None = None) -> CompressResult | None:
        """The same for asynchronous programs: another thread takes large requests, and all where the store needs one."""
        if not self._is_worth_a_thread(messages):
            return self.compress(messages, model, lossless=lossless)
        import asyncio  # loads sockets, which no other way of using headroom needs

        return await asyncio.to_thread(self.compress, messages, model, lossless=lossless)

    def _is_worth_a_thread(self, messages: Sequence[Message]) -> bool:
        try:
            store = default_store() if self.store is None else self.store  # HEADROOM_STORE may name one on the network
            return bool(getattr(store, "needs_a_thread", False)) or _characters(messages) >= WORTH_A_THREAD
        except Exception:  # compress() will say what is wrong with them
            return True

    def answer(self, name_or_tool_call: Any, arguments: Mapping[str, Any] | str | None = None) -> str:
        """What to give the model for its call of `headroom_retrieve`; never raises."""
        self.savings.add_retrieval()
        return answer_call(name_or_tool_call, arguments, store=self.store, namespace=self.config.namespace)

    def failed(self, error: Exception, model: str = "") -> None:
        """Count and report trouble of ours in a request that goes on as it came."""
        self.savings.add_failure(model, error)
        self._warn(f"{type(error).__name__}: {error}", error)

    def _withheld(self, error: Exception) -> None:
        self.savings.add_failed_text(error)
        self._warn(f"redact raised {type(error).__name__}: {error}", error, what="a text is withheld from the model")

    def _warn(self, trouble: str, error: Exception | None = None, what: str = "a request goes out uncompressed, wholly or in part") -> None:
        logger.warning("%s: %s", what, trouble, exc_info=error)
        if not self._warned:
            self._warned = True
            try:
                warnings.warn(f"Headroom: {what} ({trouble}); further ones are only logged", stacklevel=3)
            except Warning:  # where warnings are errors, the user's request still goes on
                pass

    def __deepcopy__(self, memo: object) -> CompressionService:
        return self  # frameworks copy models and agents for every run


def _characters(messages: Sequence[Message]) -> int:
    """Roughly, and without a walk through everything: strings, and strings one block deep."""
    total = 0
    for message in messages:
        for value in message.values() if isinstance(message, dict) else ():
            if isinstance(value, str):
                total += len(value)
            elif isinstance(value, list):
                total += sum(len(str(part.get("text") or part.get("content") or "")) for part in value if isinstance(part, dict))
    return total

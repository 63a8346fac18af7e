"""Messages in, shorter messages out: what the middleware, the graph's hook, the memory and the runnable share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from headroom import CompressionService, CompressResult, ConfigError
from headroom.integrations.langchain.messages import as_dicts, with_texts
from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool


@dataclass(frozen=True, slots=True)
class Shortener:
    """Shortens lists of messages with one service. Trouble of ours leaves them as they came, counted and warned of once."""

    service: CompressionService
    lossless: bool | None = None
    """True folds only, because the model has no `headroom_retrieve` to call; None leaves it to the service."""

    def shorten(self, messages: Sequence[BaseMessage], model: str = "", *, lossless: bool | None = None) -> list[BaseMessage]:
        """A new list, same number and order; messages without a change are the same objects."""
        plain = self._read(messages, model)
        if plain is None:
            return list(messages)
        return self._write(messages, self.service.compress(plain, model, lossless=self._or_own(lossless)), model)

    async def ashorten(self, messages: Sequence[BaseMessage], model: str = "", *, lossless: bool | None = None) -> list[BaseMessage]:
        """The same; a large list is worked on in another thread."""
        plain = self._read(messages, model)
        if plain is None:
            return list(messages)
        return self._write(messages, await self.service.acompress(plain, model, lossless=self._or_own(lossless)), model)

    def _or_own(self, lossless: bool | None) -> bool | None:
        return self.lossless if lossless is None else lossless

    def _read(self, messages: Sequence[BaseMessage], model: str) -> list[dict[str, Any]] | None:
        try:
            return as_dicts(messages)
        except Exception as error:  # a message of a kind that nobody has seen yet
            self.service.failed(error, model)
            return None

    def _write(self, messages: Sequence[BaseMessage], result: CompressResult | None, model: str) -> list[BaseMessage]:
        if result is None:
            return list(messages)
        try:
            return with_texts(messages, result)
        except Exception as error:  # hooks of the caller's that add or remove messages
            self.service.failed(error, model)
            return list(messages)


def shortener_for(service: CompressionService | None, retrieve_tool: HeadroomRetrieveTool | None, options: dict[str, Any]) -> Shortener:
    """What the factories of this room make of their arguments. ConfigError for two answers to one question.

    Without `retrieve_tool` the model cannot ask for what was left out, so nothing is: folds only.
    """
    if service is not None and options:
        raise ConfigError(f"give a service or its options, not both: {', '.join(sorted(options))}")
    if retrieve_tool is None:
        return Shortener(service or CompressionService(**options), lossless=True)
    if not isinstance(retrieve_tool, HeadroomRetrieveTool):
        raise ConfigError(f"retrieve_tool must come from create_retrieve_tool(), not {retrieve_tool!r}")
    asked = retrieve_tool.service
    if service is not None:
        if service.store is not asked.store or service.config.namespace != asked.config.namespace:
            raise ConfigError("the service and the retrieve_tool must have one store and one namespace")
        return Shortener(service)
    if not options:
        return Shortener(asked)
    given = sorted({"store", "namespace", "config"} & options.keys())
    if given:
        raise ConfigError(f"the retrieve_tool decides about store and namespace: {', '.join(given)} cannot be given beside it")
    return Shortener(CompressionService(config=asked.config, store=asked.store, **options))


def model_name(model: object) -> str:
    """The name by which tokens are counted; "" if the model does not say."""
    names = (getattr(model, field, None) for field in ("model_name", "model", "model_id"))
    return next((name for name in names if isinstance(name, str)), "")

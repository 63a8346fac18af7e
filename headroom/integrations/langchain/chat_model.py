"""HeadroomChatModel: any chat model of LangChain, sending less and changing nothing else."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from functools import cache
from inspect import signature
from types import new_class
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from headroom import CompressConfig, CompressionHooks, CompressionService, CompressionStore, ConfigError, __version__
from headroom.integrations.langchain.exchange import abegun, begun
from headroom.integrations.langchain.offering import Settings
from headroom.integrations.langchain.plain_strings import writes_plain_strings
from headroom.integrations.langchain.streams import StreamedReply
from headroom.integrations.langchain.whole import WholeReply
from headroom.integrations.langchain.within import avisible, inside, is_inside, visible
from headroom.integrations.langchain.wrapping import around

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseChatModel)


class _Wraps(ModelMetaclass):
    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        if cls is HeadroomChatModel:
            return _wrapped(*arguments, **keywords)
        return super().__call__(*arguments, **keywords)


class HeadroomChatModel(BaseChatModel, metaclass=_Wraps):
    """`HeadroomChatModel(model)` is `model`, of a subclass of its own class, sending shorter messages.

    `model`: a chat model, or a binding, a retry, a fallback or a configurable model of one, which is then rebuilt around it.
    `retrieve`: offer headroom_retrieve to the model and answer its calls within the same invoke or stream; False folds only.
    `max_retrieve_rounds`: how often the model may ask before it must answer (1 or more).
    `store`, `config`, `namespace`, `hooks` and further options are those of `headroom.compress()`.

    ConfigError for something else than a chat model, and for a mistyped option.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            model: Any,
            *,
            retrieve: bool = True,
            max_retrieve_rounds: int = 3,
            store: CompressionStore | None = None,
            config: CompressConfig | None = None,
            namespace: str | None = None,
            hooks: CompressionHooks | None = None,
            **options: Any,
        ) -> None: ...

    headroom: Any = Field(default_factory=Settings, exclude=True, repr=False)
    """What was given above, and what was saved: a field, so that every copy of the model keeps it."""

    @property
    def total_tokens_saved(self) -> int:
        """Tokens removed from all requests so far, also those of models made from this one (bind_tools, with_config)."""
        return int(self.headroom.service.savings.tokens_saved)

    @classmethod
    def wrapped_class(cls) -> type[BaseChatModel]:
        """The class of the model that was wrapped."""
        raise NotImplementedError  # each class that is made for a wrapped one has its own

    def get_metrics(self) -> dict[str, Any]:
        """requests, tokens_before, tokens_after, tokens_saved, savings_percent (0 to 100), retrievals, failures, last_failure."""
        return dict(self.headroom.service.savings.summary())

    def get_savings_summary(self) -> dict[str, Any]:
        """The totals in the words of a report, and the newest requests one by one."""
        savings = self.headroom.service.savings
        return {
            "total_requests": savings.requests,
            "total_tokens_before": savings.tokens_before,
            "total_tokens_after": savings.tokens_before - savings.tokens_saved,
            "total_tokens_saved": savings.tokens_saved,
            "average_savings_percent": round(savings.savings_percent, 2),
            "recent": [
                {"tokens_before": r.tokens_before, "tokens_saved": r.tokens_saved, "transforms_applied": list(r.transforms_applied)}
                for r in savings.recent
            ],
        }

    def _get_ls_params_with_defaults(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        """What a traced run says of itself, with a word of ours."""
        params = super()._get_ls_params_with_defaults(stop=stop, **kwargs)
        return {**params, "headroom_version": __version__, "headroom_retrieve": self.headroom.retrieve}

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        manager = _manager_for(self, "_generate", run_manager)
        if is_inside(self):
            return super()._generate(messages, stop=stop, **manager, **kwargs)  # type: ignore[safe-super]  # the wrapped class's
        exchange = begun(self, self.headroom, messages, kwargs)
        reply = WholeReply(exchange)
        while reply.goes_on:
            if exchange.rounds and self.rate_limiter is not None:  # which LangChain asked for the first request
                self.rate_limiter.acquire(blocking=True)
            with inside(self):
                result = super()._generate(exchange.messages, stop=stop, **manager, **exchange.arguments)  # type: ignore[safe-super]
            result = reply.take(result)
        return result


class _AsyncGenerates(HeadroomChatModel):
    """For models with an `_agenerate` of their own."""

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        manager = _manager_for(self, "_agenerate", run_manager)
        if is_inside(self):
            return await super()._agenerate(messages, stop=stop, **manager, **kwargs)
        exchange = await abegun(self, self.headroom, messages, kwargs)
        reply = WholeReply(exchange)
        while reply.goes_on:
            if exchange.rounds and self.rate_limiter is not None:
                await self.rate_limiter.aacquire(blocking=True)
            with inside(self):
                result = await super()._agenerate(exchange.messages, stop=stop, **manager, **exchange.arguments)
            result = reply.take(result)
        return result


class _Streams(HeadroomChatModel):
    """For models that stream; a model that does not must not have `_stream`, or LangChain would call it."""

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        if is_inside(self):
            yield from super()._stream(messages, stop=stop, **_given(run_manager), **kwargs)
            return
        exchange = begun(self, self.headroom, messages, kwargs)
        reply = StreamedReply(exchange, plain_strings=writes_plain_strings(self, exchange, kwargs))
        inner, outer = (None, run_manager) if exchange.answers_calls else (run_manager, None)  # inner would hear of our calls
        while reply.goes_on:
            if exchange.rounds and self.rate_limiter is not None:
                self.rate_limiter.acquire(blocking=True)
            chunks = super()._stream(exchange.messages, stop=stop, **_given(inner), **exchange.arguments)
            for chunk in visible(self, reply, chunks):
                if outer is not None:
                    outer.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk


class _AsyncStreams(HeadroomChatModel):
    """For models that stream asynchronously in a way of their own."""

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        if is_inside(self):
            async for chunk in super()._astream(messages, stop=stop, **_given(run_manager), **kwargs):
                yield chunk
            return
        exchange = await abegun(self, self.headroom, messages, kwargs)
        reply = StreamedReply(exchange, plain_strings=writes_plain_strings(self, exchange, kwargs))
        inner, outer = (None, run_manager) if exchange.answers_calls else (run_manager, None)
        while reply.goes_on:
            if exchange.rounds and self.rate_limiter is not None:
                await self.rate_limiter.aacquire(blocking=True)
            chunks = super()._astream(exchange.messages, stop=stop, **_given(inner), **exchange.arguments)
            async with aclosing(avisible(self, reply, chunks)) as seen:
                async for chunk in seen:
                    if outer is not None:
                        await outer.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk


def _wrapped(
    model: Any,
    *,
    retrieve: bool = True,
    max_retrieve_rounds: int = 3,
    store: CompressionStore | None = None,
    config: CompressConfig | None = None,
    namespace: str | None = None,
    hooks: CompressionHooks | None = None,
    **options: Any,
) -> Any:
    if not isinstance(max_retrieve_rounds, int) or max_retrieve_rounds < 1:
        raise ConfigError(f"max_retrieve_rounds must be 1 or more, not {max_retrieve_rounds!r}: retrieve=False turns retrieval off")
    CompressConfig.check_names(options, also=("retrieve", "max_retrieve_rounds", "store", "config", "hooks"))
    if namespace is not None:
        options["namespace"] = namespace
    service = CompressionService(config=config, store=store, hooks=hooks, lossless=not retrieve, **options)
    settings = Settings(service, retrieve=retrieve, max_retrieve_rounds=max_retrieve_rounds)

    def wrap(bare: BaseChatModel) -> BaseChatModel:
        kind = bare.wrapped_class() if isinstance(bare, HeadroomChatModel) else type(bare)
        return _restored(kind, {**copy.copy(bare).__getstate__()}, settings)

    return around(model, wrap)


def _restored(kind: type[BaseChatModel], state: dict[Any, Any], settings: Settings | None = None) -> BaseChatModel:
    """A wrapped model with the state of a bare one, or of one that was pickled."""
    wrapping = _class_for(kind)
    model = wrapping.__new__(wrapping)
    model.__setstate__(state)
    if settings is not None:
        model.__dict__["headroom"] = settings
    return model


_classes: dict[type[BaseChatModel], type[BaseChatModel]] = {}


def _class_for(kind: type[BaseChatModel]) -> type[BaseChatModel]:
    """The subclass of `kind` that sends less. It overrides what `kind` overrides and nothing else, and goes by its name:
    traces, serialized ids and names of providers are read off the class.
    """
    if kind in _classes:
        return _classes[kind]
    overrides = {"_agenerate": _AsyncGenerates, "_stream": _Streams, "_astream": _AsyncStreams}
    mixins = [mixin for name, mixin in overrides.items() if getattr(kind, name) is not getattr(BaseChatModel, name)]
    body = {
        "__module__": kind.__module__,
        "__qualname__": f"Headroom{kind.__qualname__}",
        "__doc__": kind.__doc__,
        "__reduce__": lambda self: (_restored, (kind, self.__getstate__())),
        "wrapped_class": classmethod(lambda cls: kind),
        "lc_id": classmethod(lambda cls: kind.lc_id()),
        "get_lc_namespace": classmethod(lambda cls: kind.get_lc_namespace()),
    }
    made = new_class(kind.__name__, (*(mixins or [HeadroomChatModel]), kind), {}, lambda namespace: namespace.update(body))
    for name, source in (("_stream_chat_model_events", "_stream"), ("_astream_chat_model_events", "_astream")):
        if hasattr(kind, name) and (_Streams in mixins or overrides[source] in mixins):
            setattr(made, name, None)  # events are made from the chunks that we see
    return _classes.setdefault(kind, made)


def _manager_for(model: BaseChatModel, method: str, run_manager: Any) -> dict[str, Any]:
    """The run manager, for a method that takes one."""
    return {"run_manager": run_manager} if _takes_manager(model.wrapped_class(), method) else {}  # type: ignore[attr-defined]


@cache
def _takes_manager(kind: type, method: str) -> bool:
    return "run_manager" in signature(getattr(kind, method)).parameters


def _given(run_manager: Any) -> dict[str, Any]:
    return {} if run_manager is None else {"run_manager": run_manager}

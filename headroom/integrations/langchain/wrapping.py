"""Finding the chat model inside what LangChain makes of one, and rebuilding that around another."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable

from headroom import ConfigError

Wrap = Callable[[BaseChatModel], BaseChatModel]
_wrapping: dict[type, type] = {}


def around(model: Any, wrap: Wrap) -> Any:
    """`model` with the chat model inside it wrapped: bindings, retries, fallbacks and configurable models are rebuilt.

    ConfigError if there is no chat model in it.
    """
    if isinstance(model, BaseChatModel):
        return wrap(model)
    if isinstance(model, RunnableBindingBase):
        return model.model_copy(update={"bound": around(model.bound, wrap)})
    if isinstance(model, DynamicRunnable):
        return model.model_copy(update={"default": around(model.default, wrap)})
    if isinstance(model, RunnableWithFallbacks):
        fallbacks = [around(fallback, wrap) for fallback in model.fallbacks]
        return model.model_copy(update={"runnable": around(model.runnable, wrap), "fallbacks": fallbacks})
    configurable = _configurable_model()
    if configurable is not None and isinstance(model, configurable):
        return _configurable_around(model, configurable, wrap)
    what = f"the string {model!r}: use init_chat_model({model!r})" if isinstance(model, str) else f"{type(model).__name__}"
    raise ConfigError(f"HeadroomChatModel takes a chat model (or a binding, retry, fallback or configurable of one), not {what}")


def _configurable_model() -> Any:
    """The class of what `init_chat_model(configurable_fields=...)` gives, if anybody has loaded it."""
    return getattr(sys.modules.get("langchain.chat_models.base"), "_ConfigurableModel", None)


def _configurable_around(model: Any, configurable: type, wrap: Wrap) -> Any:
    """A copy that wraps every model it makes: it makes one for each call, when it knows the configuration."""
    if configurable not in _wrapping:
        _wrapping[configurable] = _wrapping_class(configurable)
    wrapping: Any = _wrapping[configurable]
    copy = wrapping.__new__(wrapping)
    copy.__dict__.update(model.__dict__, _headroom_wrap=wrap)
    return copy


def _wrapping_class(configurable: Any) -> type:
    class Wrapping(configurable):  # type: ignore[misc]  # known at run time only
        def _model(self, config: Any = None) -> Any:
            operations = self._queued_declarative_operations
            bare = configurable.__new__(configurable)
            bare.__dict__.update(self.__dict__, _queued_declarative_operations=[])
            model = around(bare._model(config), self._headroom_wrap)
            for name, arguments, keywords in operations:
                model = getattr(model, name)(*arguments, **keywords)
            return model

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") or name == "_headroom_wrap":
                raise AttributeError(name)
            found = super().__getattr__(name)
            return self._keeping(found) if getattr(found, "__name__", "") == "queue" else found

        def with_config(self, *arguments: Any, **keywords: Any) -> Any:
            return _configurable_around(super().with_config(*arguments, **keywords), configurable, self._headroom_wrap)

        def _keeping(self, queue: Callable[..., Any]) -> Callable[..., Any]:
            def kept(*arguments: Any, **keywords: Any) -> Any:
                return _configurable_around(queue(*arguments, **keywords), configurable, self._headroom_wrap)

            return kept

    Wrapping.__name__ = configurable.__name__
    return Wrapping

"""LiteLLM: `litellm.callbacks = [HeadroomCallback()]`, or by name in a proxy's YAML file.

A package of its own name, so that the name in YAML (`headroom.integrations.litellm_callback.HeadroomCallback`) is the
one in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headroom.integrations.litellm_callback.callback import HeadroomCallback as _HeadroomCallback
from headroom.integrations.litellm_callback.callback import NotReachedError

__all__ = ["HeadroomCallback", "NotReachedError", "proxy_handler_instance"]


class _ClassAndInstance(_HeadroomCallback):
    # A LiteLLM proxy takes from its YAML file the name of an instance, Python code takes a class, and there is one name:
    # so this callback can also be called for another one, be subclassed, and be asked in isinstance().
    __doc__ = _HeadroomCallback.__doc__

    def __call__(self, **options: Any) -> _HeadroomCallback:
        return _HeadroomCallback(**options)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, _HeadroomCallback)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return (_HeadroomCallback,)


proxy_handler_instance = _ClassAndInstance()
"""The name that LiteLLM's own documentation gives to a callback for the proxy."""

if TYPE_CHECKING:
    HeadroomCallback = _HeadroomCallback
else:
    HeadroomCallback = proxy_handler_instance

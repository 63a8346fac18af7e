"""What `HeadroomCallback().install()` puts in place of `litellm.completion`. Nothing is replaced unless asked."""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import litellm

from headroom.integrations.litellm_callback import calls, retrieval
from headroom.integrations.litellm_callback.callback import ROUNDS, HeadroomCallback

_replaced: dict[int, Any] = {}
"""By callback: the `litellm.completion` that stood there before."""


def install(callback: HeadroomCallback) -> None:
    """Replace `litellm.completion`, which Router calls too; a second time does nothing."""
    if id(callback) not in _replaced:
        _replaced[id(callback)] = litellm.completion
        litellm.completion = _compressing(litellm.completion, callback)
    if callback not in litellm.callbacks:
        litellm.callbacks.append(callback)


def uninstall(callback: HeadroomCallback) -> None:
    """Put everything back."""
    if id(callback) in _replaced:
        litellm.completion = _replaced.pop(id(callback))
    if callback in litellm.callbacks:
        litellm.callbacks.remove(callback)


def _compressing(original: Callable[..., Any], callback: HeadroomCallback) -> Callable[..., Any]:
    names = list(inspect.signature(original).parameters)

    @functools.wraps(original)
    def completion(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("acompletion"):  # how acompletion() calls it: compressed already
            return original(*args, **kwargs)
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        return _complete(original, callback, given)

    return completion


def _complete(original: Callable[..., Any], callback: HeadroomCallback, given: dict[str, Any]) -> Any:
    request = _prepared(callback, given)
    response = original(**request)
    call = callback.seen.get(request.get("litellm_call_id"))
    if call is None or call.whose != "ours":
        return response
    for turn in range(ROUNDS):
        if not retrieval.retrieve_calls(response):
            return response
        request = {**request, "messages": retrieval.follow_up(request["messages"], response, call.service.answer)}
        if turn + 1 == ROUNDS:
            request["tools"] = calls.without_retrieval(request["tools"])
        response = original(**request)
    if retrieval.retrieve_calls(response):
        retrieval.take_out(response)
    return response


def _prepared(callback: HeadroomCallback, given: Mapping[str, Any]) -> dict[str, Any]:
    request = {**given, "litellm_call_id": given.get("litellm_call_id") or str(uuid.uuid4())}
    try:
        plan = callback.plan(request, "openai", answered=True)
        if plan is None:
            return request
        result = plan.service.compress(plan.plain, str(given.get("model") or ""), lossless=plan.whose == "nobody's")
        return callback.carried_out(plan, request, result)
    except Exception as error:
        callback.service.failed(error, str(given.get("model") or ""))
        return request

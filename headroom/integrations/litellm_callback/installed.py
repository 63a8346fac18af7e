"""What `HeadroomCallback().install()` puts in place of `litellm.completion`. Nothing is replaced unless asked."""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import litellm
from litellm import main

from headroom.integrations.litellm_callback import calls, retrieval
from headroom.integrations.litellm_callback.callback import ROUNDS, HeadroomCallback

_replaced: dict[int, list[tuple[Any, str, Any]]] = {}
"""By callback: where something was replaced, its name, and what stood there."""


def install(callback: HeadroomCallback) -> None:
    """Replace `litellm.completion` where Router, retries and users look it up; a second time does nothing."""
    if id(callback) in _replaced:
        return
    original = litellm.completion
    compressing = _compressing(original, callback)
    places = [place for place in (litellm, main) if getattr(place, "completion", None) is original]
    _replaced[id(callback)] = [(place, "completion", original) for place in places]
    for place in places:
        setattr(place, "completion", compressing)  # noqa: B010  (mypy: a module's function is not assigned to)
    if callback not in litellm.callbacks:
        litellm.callbacks.append(callback)


def uninstall(callback: HeadroomCallback) -> None:
    """Put everything back."""
    for place, name, original in _replaced.pop(id(callback), []):
        setattr(place, name, original)
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

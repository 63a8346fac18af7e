"""What POST /v1/compress, /v1/retrieve and /v1/openclaw/assemble take and give: the contract with other languages.

Its examples, which every client's tests read too, are in tests/contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args

from headroom import Budget, CompressConfig, CompressResult, ConfigError, FormatError, StoreError, UnknownReferenceError, compress, retrieve
from headroom.core.config import PresetName
from headroom.integrations.openclaw import assemble
from headroom.proxy.problems import Problem
from headroom.proxy.state import State
from headroom.tools import call
from headroom.tools.definitions import RETRIEVE_TOOL

_NUMBERS = ("min_tokens", "user_span_tokens", "whole_limit_tokens")
OPTIONS = ("preset", "lossless", "budget", *_NUMBERS)


def compress_answer(asked: dict[str, Any], namespace: str, state: State) -> dict[str, Any]:
    """The answer to `{model, messages | input, options}`. Problem(400) if the request cannot be understood."""
    _check_names(asked, ("model", "messages", "input", "options"))
    key = _key_of(asked)
    given = asked[key]
    messages = [{"role": "user", "content": given}] if isinstance(given, str) and key == "input" else given
    with _refusing():
        result = _compressor(asked, namespace, state)(messages)
    _count("/v1/compress", result, namespace, state)
    return {key: result.messages[0]["content"] if isinstance(given, str) else result.messages, **_figures(result)}


def assemble_answer(asked: dict[str, Any], namespace: str, state: State) -> dict[str, Any]:
    """The answer to `{model, messages, token_budget, options}`: an OpenClaw history, shortened and within the budget.

    `left_out: [start, end]` says which messages are not among those that come back, `notice` what to tell the model.
    """
    _check_names(asked, ("model", "messages", "token_budget", "options"))
    messages, budget = asked.get("messages"), asked.get("token_budget")
    _check_type("token_budget", budget, int)
    if not isinstance(messages, list):
        raise _bad("messages must be a list of OpenClaw's messages")
    with _refusing():
        assembly = assemble(messages, _compressor(asked, namespace, state), budget)
    _count("/v1/openclaw/assemble", assembly.result, namespace, state)
    rest = {"left_out": assembly.left_out, "notice": assembly.notice, "estimated_tokens": assembly.estimated_tokens}
    return {"messages": assembly.messages, **rest, **_figures(assembly.result)}


def _compressor(asked: dict[str, Any], namespace: str, state: State) -> Callable[[Any], CompressResult]:
    """compress() as the request's model and options want it. Problem(400) if they cannot be."""
    model = asked.get("model", "")
    if not isinstance(model, str):
        raise _bad("model must be a string")
    config, lossless = _settings(asked.get("options"), state.settings.config.with_options(namespace=namespace))
    return lambda messages: compress(messages, model, config=config, store=state.store, lossless=lossless or not state.settings.retrieve)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (FormatError, ConfigError) as error:
        raise _bad(str(error)) from None


def _count(path: str, result: CompressResult, namespace: str, state: State) -> None:
    state.services.savings.add(result)
    entry = state.history.begin(path)
    entry.status, entry.namespace = 200, namespace
    state.history.add(entry, result)


def retrieve_answer(asked: dict[str, Any], namespace: str, state: State) -> dict[str, Any]:
    """The answer to `{ref, query, lines, offset}`; with `page_tokens` too, as headroom_retrieve would say it to a model."""
    _check_names(asked, ("ref", "query", "lines", "offset", "page_tokens"))
    ref = asked.get("ref")
    if not isinstance(ref, str) or not ref:
        raise _bad("ref is missing: send the characters that follow ref= in a marker")
    query, lines, offset, page_tokens = (asked.get(name) for name in ("query", "lines", "offset", "page_tokens"))
    _check_type("query", query, str)
    _check_type("lines", lines, str)
    _check_type("offset", offset, int)
    _check_type("page_tokens", page_tokens, int)
    state.services.savings.add_retrieval()
    try:
        if page_tokens is None:
            return {"text": retrieve(ref, query, lines, offset, store=state.store, namespace=namespace)}
        retrieve(ref, offset=0, store=state.store, namespace=namespace)
    except UnknownReferenceError:
        words = call(RETRIEVE_TOOL, {"ref": ref}, store=state.store, namespace=namespace)
        raise Problem(404, words, type="unknown_reference") from None
    except StoreError as error:
        raise Problem(503, f"the store failed: {error}", type="store_failed") from None
    except ValueError as error:
        raise _bad(str(error)) from None
    arguments = {"ref": ref, "query": query, "lines": lines, "offset": offset}
    return {"text": call(RETRIEVE_TOOL, arguments, store=state.store, namespace=namespace, page_tokens=max(1, page_tokens))}


def _key_of(asked: dict[str, Any]) -> str:
    keys = [key for key in ("messages", "input") if asked.get(key) is not None]
    if len(keys) != 1:
        raise _bad("send either messages (OpenAI chat, Anthropic) or input (OpenAI Responses)")
    return keys[0]


def _settings(options: Any, config: CompressConfig) -> tuple[CompressConfig, bool]:
    if options is None:
        return config, False
    if not isinstance(options, dict):
        raise _bad("options must be an object")
    _check_names(options, OPTIONS, "option")
    lossless, preset = options.get("lossless", False), options.get("preset")
    if not isinstance(lossless, bool):
        raise _bad("options.lossless must be true or false")
    if preset is not None and preset not in get_args(PresetName):
        raise _bad(f"options.preset must be one of {', '.join(get_args(PresetName))}")
    if preset is not None:
        config = CompressConfig.preset(preset).with_options(namespace=config.namespace)
    changes = {name: options[name] for name in _NUMBERS if name in options}
    if "budget" in options:
        changes["budget"] = _budget(options["budget"])
    try:
        return config.with_options(**changes), lossless
    except ConfigError as error:
        raise _bad(f"options: {error}") from None


def _budget(value: Any) -> Budget:
    if not isinstance(value, dict) or not {"tokens", "share"} <= value.keys() <= {"tokens", "share", "most"}:
        raise _bad("options.budget must be {tokens, share} or {tokens, share, most}")
    return Budget(**value)


def _figures(result: CompressResult) -> dict[str, Any]:
    return {
        "tokens_before": result.tokens_before,
        "tokens_after": result.tokens_after,
        "tokens_saved": result.tokens_saved,
        "compression_ratio": result.compression_ratio,
        "transforms_applied": result.transforms_applied,
        "references": result.references,
    }


def _check_names(given: dict[str, Any], known: tuple[str, ...], what: str = "field") -> None:
    for name in given:
        if name not in known:
            raise _bad(f"unknown {what} {name[:80]!r} (valid: {', '.join(known)})")


def _check_type(name: str, value: Any, kind: type) -> None:
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise _bad(f"{name} must be {'a string' if kind is str else 'a whole number'}")


def _bad(message: str) -> Problem:
    return Problem(400, message, type="bad_request")

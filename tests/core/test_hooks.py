"""Hooks: they see everything that is known, may replace the messages, set biases, and what they raise reaches the caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headroom import CompressContext, CompressEvent, CompressionHooks, ConfigError, FormatError, HeadroomError, MemoryStore, compress
from headroom.core import protect
from tests.conversations import FORMATS, call_and_output

ROWS = json.dumps([{"id": i, "status": "ok", "note": f"note number {i * 37 % 101} of the row"} for i in range(600)])


def conversation(dialect: str) -> list[Any]:
    return [
        {"role": "user", "content": "first question"},
        *call_and_output(dialect, 1, "list_orders", "{}", [ROWS], "Let me look."),
        {"role": "user", "content": "what about 4711?"},
        *call_and_output(dialect, 2, "read_log", "{}", ["short"], ""),
        {"role": "user", "content": "newest question"},
    ]


class Recorder(CompressionHooks):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.contexts: list[CompressContext] = []
        self.events: list[CompressEvent] = []

    def pre_compress(self, messages: list[Any], ctx: CompressContext) -> list[Any]:
        self.seen.append(list(messages))
        self.contexts.append(ctx)
        return messages

    def compute_biases(self, messages: list[Any], ctx: CompressContext) -> dict[int, float]:
        self.seen.append(list(messages))
        self.contexts.append(ctx)
        return {}

    def post_compress(self, event: CompressEvent) -> None:
        self.events.append(event)


class Biased(CompressionHooks):
    def __init__(self, biases: Any) -> None:
        self.biases = biases

    def compute_biases(self, messages: list[Any], ctx: CompressContext) -> Any:
        return self.biases


def run(dialect: str, hooks: CompressionHooks, model: str = "gpt-4o") -> Any:
    return compress(conversation(dialect), model, hooks=hooks, store=MemoryStore())


@pytest.mark.parametrize(
    ("model", "provider"), [("claude-sonnet-4-5-20250929", "anthropic"), ("gpt-4o", None), ("gemini-2.5-pro", "google")]
)
@pytest.mark.parametrize("dialect", FORMATS)
def test_the_context_tells_all_that_is_known(dialect: str, model: str, provider: str | None) -> None:
    hooks = Recorder()
    run(dialect, hooks, model)
    default = "anthropic" if dialect == "anthropic" else "openai"
    expected = CompressContext(model, "newest question", 2, ["list_orders", "read_log"], provider or default)
    assert hooks.contexts == [expected, expected]
    assert hooks.seen == [conversation(dialect)] * 2


@pytest.mark.parametrize("dialect", FORMATS)
def test_a_turn_of_many_calls_is_one_turn(dialect: str) -> None:
    if dialect == "openai":
        calls = [{"id": str(i), "type": "function", "function": {"name": f"t{i}", "arguments": "{}"}} for i in range(3)]
        turn: list[Any] = [{"role": "assistant", "content": "Three.", "tool_calls": calls}]
        turn += [{"role": "tool", "tool_call_id": str(i), "content": "x"} for i in range(3)]
    elif dialect == "anthropic":
        calls = [{"type": "tool_use", "id": str(i), "name": f"t{i}", "input": {}} for i in range(3)]
        turn = [{"role": "assistant", "content": [{"type": "text", "text": "Three."}, *calls]}]
        turn += [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": str(i), "content": "x"} for i in range(3)]}]
    else:
        turn = [{"type": "reasoning", "id": "r", "summary": []}, {"type": "message", "role": "assistant", "content": "Three."}]
        turn += [{"type": "function_call", "call_id": str(i), "name": f"t{i}", "arguments": "{}"} for i in range(3)]
        turn += [{"type": "function_call_output", "call_id": str(i), "output": "x"} for i in range(3)]
    hooks = Recorder()
    compress([{"role": "user", "content": "q"}, *turn, {"role": "user", "content": "q2"}], hooks=hooks, store=MemoryStore())
    assert hooks.contexts[0].turn_number == 1 and hooks.contexts[0].tool_calls == ["t0", "t1", "t2"]


def test_the_users_words_are_known_without_what_tools_said() -> None:
    hooks = Recorder()
    blocks = [
        {"type": "tool_result", "tool_use_id": "1", "content": "tool words"},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]
    compress([{"role": "user", "content": blocks}], hooks=hooks, store=MemoryStore())
    assert hooks.contexts[0].user_query == "a\nb"


def test_an_empty_conversation_has_an_empty_context() -> None:
    hooks = Recorder()
    compress([], "", hooks=hooks, store=MemoryStore())
    assert hooks.contexts[0] == CompressContext("", "", 0, [], "openai")


@pytest.mark.parametrize("dialect", FORMATS)
def test_pre_compress_may_put_other_messages_in_their_place(dialect: str) -> None:
    class Dropping(CompressionHooks):
        def pre_compress(self, messages: list[Any], ctx: CompressContext) -> list[Any]:
            return messages[:-1]

    result = run(dialect, Dropping())
    assert len(result.messages) == len(conversation(dialect)) - 1
    assert result.messages == compress(conversation(dialect)[:-1], store=MemoryStore()).messages


@pytest.mark.parametrize("returned", [None, "text", 5, ["text"], [{"no": "role"}]])
def test_pre_compress_that_returns_no_messages_is_told(returned: Any) -> None:
    class Wrong(CompressionHooks):
        def pre_compress(self, messages: list[Any], ctx: CompressContext) -> Any:
            return returned

    with pytest.raises(FormatError):
        run("openai", Wrong())


@pytest.mark.parametrize("method", ["pre_compress", "compute_biases", "post_compress"])
@pytest.mark.parametrize("error", [KeyError("theirs"), RuntimeError("theirs"), KeyboardInterrupt("theirs")])
def test_what_a_hook_raises_reaches_the_caller_as_it_is(method: str, error: BaseException) -> None:
    def explode(*_: Any) -> Any:
        raise error

    hooks = CompressionHooks()
    setattr(hooks, method, explode)
    with pytest.raises(type(error)) as caught:
        run("openai", hooks)
    assert caught.value is error
    assert run("openai", CompressionHooks()).tokens_saved > 0, "and the next call is none the worse"


@pytest.mark.parametrize("dialect", FORMATS)
def test_the_events_figures_are_the_results(dialect: str) -> None:
    hooks = Recorder()
    result = run(dialect, hooks)
    (event,) = hooks.events
    assert event.result is result and result.tokens_saved > 0
    for name in ("tokens_before", "tokens_after", "tokens_saved", "compression_ratio", "transforms_applied", "references"):
        assert getattr(event, name) == getattr(result, name)
    assert (event.model, event.user_query) == ("gpt-4o", "newest question")


@pytest.mark.parametrize(
    "biases", [None, [1.0], {"1": 1.0}, {1.5: 1.0}, {1: "more"}, {1: None}, {1: -0.5}, {1: float("nan")}, {1: 1 + 2j}], ids=str
)
def test_biases_that_are_none_are_refused(biases: Any) -> None:
    with pytest.raises(HeadroomError) as caught:
        run("openai", Biased(biases))
    assert isinstance(caught.value, ConfigError) and "compute_biases" in str(caught.value)


@pytest.mark.parametrize("dialect", FORMATS)
def test_an_infinite_bias_keeps_a_message_whole_and_says_so(dialect: str) -> None:
    result = run(dialect, Biased(dict.fromkeys(range(20), float("inf"))))
    assert result.messages == conversation(dialect)
    assert protect.BIASED in {report.reason for report in result.blocks}


@pytest.mark.parametrize("bias", [0, 0.0, 1e-9, 1, 7, 1e9, 1e300, 1e308])
def test_any_other_bias_changes_only_how_much_is_kept(bias: float) -> None:
    result = run("openai", Biased({2: bias, 99: 3.0, -1: 2.0}))
    assert not any(report.failed for report in result.blocks)
    neutral = run("openai", CompressionHooks())
    if bias < 1:
        assert result.tokens_after <= neutral.tokens_after
    if bias > 1:
        assert result.tokens_after >= neutral.tokens_after


def test_a_bias_concerns_its_message_alone() -> None:
    messages = conversation("openai") + call_and_output("openai", 3, "other", "{}", [ROWS.replace("note", "text")], "")
    plain = compress(messages, store=MemoryStore())
    biased = compress(messages, store=MemoryStore(), hooks=Biased({2: 5.0}))
    assert plain.messages[2] != biased.messages[2]
    assert [m for i, m in enumerate(plain.messages) if i != 2] == [m for i, m in enumerate(biased.messages) if i != 2]

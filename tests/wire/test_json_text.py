"""What is not replaced in a body keeps its very characters, and what readers disagree about is not read at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.wire.json_text import read_object, rewritten, write

RAW = (
    b'{ "temperature" : 1.10, "seed":123456789012345678901234567890, "x": 1E5,\n "u":"\\ud800 \\u00e9 \xc3\xa9\\/",'
    b' "messages":[ {"role":"user","content":"q\\/"} , {"role":"tool","tool_call_id":"abc","content":"LONG","n":-0.0} ], "stop":null }\n'
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None, categories=None))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4))


def _read(raw: bytes) -> dict[str, Any]:
    value = read_object(raw)
    assert value is not None
    return value


def test_an_unchanged_body_is_the_very_bytes() -> None:
    before = _read(RAW)
    assert rewritten(RAW, before, before) is RAW


def test_numbers_and_escapes_stay_as_written() -> None:
    before = _read(RAW)
    question, output = before["messages"]
    after = {**before, "messages": [question, {**output, "content": "short"}]}
    assert rewritten(RAW, before, after) == (
        b'{"temperature":1.10,"seed":123456789012345678901234567890,"x":1E5,"u":"\\ud800 \\u00e9 \xc3\xa9\\/",'
        b'"messages":[{"role":"user","content":"q\\/"},{"role":"tool","tool_call_id":"abc","content":"short","n":-0.0}],"stop":null}'
    )


def test_what_is_new_comes_between_what_stays() -> None:
    before = _read(RAW)
    question, output = before["messages"]
    hidden = [{"role": "assistant", "content": None}, {"role": "tool", "content": "\ud800 é"}]
    after = {**before, "messages": [question, *hidden, {**output, "content": "short"}, question], "tools": [{"a": 1}]}
    written = rewritten(RAW, before, after)
    assert json.loads(written) == after
    assert b'"n":-0.0' in written and b'"content":"\\ud800 \xc3\xa9"' in written


@pytest.mark.parametrize(
    "raw",
    [b"", b"[1]", b"7", b"null", b"{", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":"\xff"}'],
)
def test_what_readers_disagree_about_is_not_read(raw: bytes) -> None:
    assert read_object(raw) is None


def test_nested_too_deeply_is_not_read() -> None:
    assert read_object(b'{"a":' + b"[" * 200_000) is None


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=6), st.data())
def test_whatever_is_replaced_the_rest_says_the_same(before: dict[str, Any], data: st.DataObject) -> None:
    raw = json.dumps(before, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 2]))).encode("utf-8", "replace")
    held = read_object(raw)
    if held is None:
        return
    after = {key: data.draw(VALUES) if data.draw(st.booleans()) else value for key, value in held.items()}
    after["new"] = data.draw(VALUES)
    assert json.loads(rewritten(raw, held, after)) == after
    assert json.loads(write(after)) == after

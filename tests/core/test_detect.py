"""Envelopes: what is inside, and that the wrapping can always be put back to the letter."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.detect import MAX_DEPTH, Sample, unwrap, unwrap_all
from tests.conversations import NASTY, OUTPUTS

BODY = "line one\nline two\n" * 30


def wrapped(draw: st.DrawFn, text: str) -> str:
    form = draw(st.integers(0, 8))
    pad = draw(st.sampled_from(["", " ", "\n", "\r\n", "\u2028", "\t\n"]))
    if form == 0:
        return json.dumps({"type": "text", "text": text}, ensure_ascii=draw(st.booleans()))
    if form == 1:
        return json.dumps([{"output": text, "exit_code": 0}], indent=draw(st.sampled_from([None, 2])))
    if form == 2:
        return json.dumps(text) + pad
    if form == 3:
        return f"{pad}<output>{pad}{text}{pad}</output>{pad}"
    if form == 4:
        return f"{pad}<tool-result_1>\n{text}</tool-result_1>"
    if form == 5:
        return f"{pad}```json\n{text}\n```{pad}"
    if form == 6:
        return f"~~~~\n{text}\n~~~~"
    if form == 7:
        return '{"stdout": "' + text.replace('"', "") + '"}'
    return text


@st.composite
def envelopes(draw: st.DrawFn) -> str:
    text = draw(st.one_of(OUTPUTS, NASTY, st.just(BODY)))
    for _ in range(draw(st.integers(0, 4))):
        text = wrapped(draw, text)
    return text


@given(envelopes())
def test_the_body_wrapped_again_is_the_text(text: str) -> None:
    envelope = unwrap(text)
    assert envelope is None or envelope.wrap(envelope.body) == text
    body, wrap = unwrap_all(text)
    assert (wrap(body) if wrap else body) == text


@given(NASTY, envelopes())
def test_what_is_put_in_its_place_is_read_as_just_that(new: str, text: str) -> None:
    envelope = unwrap(text)
    if envelope is not None and envelope.name == "json string":
        again = json.loads(envelope.wrap(new))
        assert new in (again if isinstance(again, str) else list((again[0] if isinstance(again, list) else again).values()))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps({"type": "text", "text": BODY}), "json string"),
        (json.dumps([{"type": "text", "text": BODY}]), "json string"),
        (json.dumps({"exit_code": 0, "output": BODY, "truncated": False}, indent=2), "json string"),
        (json.dumps(BODY), "json string"),
        (f"<output>\n{BODY}</output>\n", "<output>"),
        (f"  <stdout>{BODY}</stdout>", "<stdout>"),
        (f"```\n{BODY}\n```", "fence"),
        (f"````python\n{BODY}\n````\n", "fence"),
        (f"~~~\n{BODY}\n~~~", "fence"),
    ],
)
def test_the_usual_wrappings_are_seen_through(text: str, name: str) -> None:
    envelope = unwrap(text)
    assert envelope is not None and envelope.name == name and envelope.body.strip() == BODY.strip()


@pytest.mark.parametrize("words", ["naïve ☃ 🙂", "plain", 'tab\t quote" slash/ back\\ \x7f \u2028'])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_escapes_come_back_as_the_server_wrote_them(words: str, ascii_only: bool) -> None:
    text = json.dumps({"text": words * 40}, ensure_ascii=ascii_only)
    envelope = unwrap(text)
    assert envelope is not None and envelope.body == words * 40 and envelope.wrap(envelope.body) == text
    if not words.isascii():
        assert envelope.wrap("ö").isascii() is ascii_only


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        '{"text": "short", "other": "' + BODY.replace("\n", " ") + '"}',  # the named field is not most of it
        '{"text": "' + "a\\/b" * 100 + '"}',  # escapes that we would not write back
        '{"text": "' + "\\u0041" * 100 + '"}',
        '{"text": "' + "x" * 300 + '"',  # not JSON as a whole
        '{"text": "' + "x" * 300,
        f"<a>{BODY}</a><a>more</a>",
        f"<a>{BODY}</b>",
        f"<a>{BODY}</a> and words",
        "<a></a>",
        f"```\n{BODY}\n```\nwords\n```\nmore\n```",
        f"```\n{BODY}",
        "```\n```",
        '"' + '"' * 10_000,
        '"' + "\\" * 10_000,
        "[" * 10_000,
        '{"text": "' * 2_000,
    ],
)
def test_what_cannot_be_put_back_exactly_is_no_envelope(text: str) -> None:
    assert unwrap(text) is None


def test_wrappings_are_nested_up_to_a_depth() -> None:
    text = BODY
    for _ in range(MAX_DEPTH):
        text = json.dumps({"text": text})
    body, wrap = unwrap_all(text)
    assert wrap is not None and wrap(body) == text and body == BODY
    deep = BODY
    for _ in range(MAX_DEPTH + 2):
        deep = f"<t{_}>\n{deep}\n</t{_}>"
    body, wrap = unwrap_all(deep)
    assert body.startswith("<t1>") and wrap is not None and wrap(body) == deep


def test_wrappings_nested_in_both_kinds_of_escape_stay_true() -> None:
    inner = json.dumps({"text": "ä☃" * 100}, ensure_ascii=False)
    outer = json.dumps({"output": inner})
    body, wrap = unwrap_all(outer)
    assert wrap is not None and body == "ä☃" * 100
    assert json.loads(json.loads(wrap("é"))["output"]) == {"text": "é"}


@given(st.one_of(OUTPUTS, NASTY))
def test_a_sample_is_a_cheap_and_true_look(text: str) -> None:
    sample = Sample(text)
    assert text.lstrip()[:1].startswith(sample.first) and len(sample.head) <= 6_000
    assert sample.last in ("", text.rstrip()[-1:])
    assert all(line in text for line in sample.lines)

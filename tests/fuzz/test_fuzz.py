"""Fuzzing with a fixed, small budget: the same inputs on every run.

`pytest tests/fuzz --hypothesis-profile=long` tries forty times as many, other ones each time, and
`benchmarks/fuzz.py` goes on with conversations for as long as one likes.
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom import FormatError, MemoryStore
from headroom.core.detect import Sample, unwrap, unwrap_all
from headroom.core.formats import FORMATS
from headroom.core.router import KINDS, compressor_of, route_kind
from headroom.core.types import Request
from headroom.core.worth import Query
from headroom.tools.retrieve import call
from tests.fuzz import mutations
from tests.fuzz.promises import violations

SEEDS = st.integers(0, 2**32)
BUDGET = settings(max_examples=settings().max_examples // 2, deadline=None, suppress_health_check=list(HealthCheck))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_there_is_something_of_every_kind() -> None:
    assert set(mutations.KINDS) == set(KINDS)
    found = {kind: {route_kind(make(random.Random(seed))) for seed in range(8)} for kind, make in mutations.KINDS.items()}
    assert not [kind for kind in KINDS if kind not in found[kind] and kind != "text"]


@pytest.mark.parametrize("kind", KINDS)
@BUDGET
@given(seed=SEEDS)
def test_a_compressor_takes_whatever_it_is_given(kind: str, seed: int) -> None:
    dice = random.Random(seed)
    text = mutations.mutated(dice, mutations.KINDS[kind](dice))
    compressor = compressor_of(kind)
    query = Query((("worker-3", 1.0), ("failed", 0.5)))
    if not compressor.claims(Sample(text)):
        return
    for lossless in (True, False):
        result = compressor.compress(text, Request(query, 100, 0.05, lossless))
        assert result is None or not (lossless and result.lossy)
        assert result == compressor.compress(text, Request(query, 100, 0.05, lossless)), "the same twice"


@BUDGET
@given(seed=SEEDS, wrap=st.sampled_from(["{}", "<output>\n{}\n</output>", "```\n{}\n```", "json", "twice"]))
def test_what_is_unwrapped_can_be_wrapped_again(seed: int, wrap: str) -> None:
    text = mutations.output(random.Random(seed))
    if wrap in ("json", "twice"):
        text = json.dumps({"text": text})
        text = json.dumps({"text": text}) if wrap == "twice" else text
    else:
        text = wrap.replace("{}", text)
    for wrapped in (text, mutations.mutated(random.Random(seed + 1), text)):
        envelope = unwrap(wrapped)
        assert envelope is None or envelope.wrap(envelope.body) == wrapped
        body, again = unwrap_all(wrapped)
        assert (again(body) if again else body) == wrapped


@pytest.mark.parametrize("reader", FORMATS, ids=lambda reader: reader.NAME)
@BUDGET
@given(message=st.dictionaries(st.sampled_from(["role", "content", "type", "tool_calls", "output", "name", "tool_call_id"]), JSON))
def test_a_format_reads_a_message_or_refuses_it_by_name(reader: Any, message: dict[str, Any]) -> None:
    before = copy.deepcopy(message)
    if reader.recognises(message):
        try:
            reader.read(3, message)
        except FormatError as error:
            assert "3" in str(error)
    assert repr(message) == repr(before)


@settings(BUDGET, max_examples=2 * settings().max_examples)
@given(
    name=st.sampled_from(["headroom_retrieve", "mcp__headroom__headroom_retrieve", "other"]) | JSON,
    given_=JSON | st.dictionaries(st.sampled_from(["ref", "query", "lines", "offset", "x"]), JSON) | st.text(max_size=40),
    seed=SEEDS,
    known=st.booleans(),
)
def test_the_retrieve_tool_answers_whatever_a_model_writes(name: Any, given_: Any, seed: int, known: bool) -> None:
    store = MemoryStore()
    (reference,) = store.put_many([mutations.output(random.Random(seed))])
    if known and isinstance(given_, dict):
        given_ = {**given_, "ref": reference}
    assert isinstance(call(name, given_, store=store), str)


@pytest.mark.parametrize("batch", range(6))
def test_promises_over_generated_and_mutated_conversations(batch: int) -> None:
    for seed in range(batch * 20, batch * 20 + 20):
        dice = random.Random(seed)
        messages = mutations.conversation(dice)
        assert not violations(messages, dice), seed
        assert not violations(mutations.mutated_conversation(dice, messages), dice), seed

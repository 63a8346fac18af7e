"""compress(), from the outside: what it takes, what it refuses, what it reports."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from headroom import Budget, CompressConfig, CompressionHooks, ConfigError, FormatError, HeadroomError, MemoryStore, compress, retrieve
from headroom.core import marker, pipeline, protect, shorten
from headroom.core.worth import Query
from tests.conversations import FORMATS, call_and_output, text_at

MODEL = "gpt-4o"
ROWS = json.dumps([{"id": f"o{i}", "status": "ok", "note": f"note {i * 37 % 101} of {i * 13 % 97}"} for i in range(700)])
LOG = "\n".join(
    f"2026-01-01T10:{i // 60 % 60:02d}:{i % 60:02d} INFO worker-{i % 7} handled request {i * 7919 % 10007}" for i in range(1_500)
)


@pytest.fixture(autouse=True)
def forget() -> None:
    pipeline._remembered.clear()


def run(messages: Any, **options: Any) -> Any:
    return compress(messages, MODEL, **{"store": MemoryStore(), **options})


# --- what it takes --------------------------------------------------------------------------------------------------------


def test_nothing_comes_out_of_nothing() -> None:
    result = run([])
    assert (result.messages, result.blocks, result.references, result.transforms_applied) == ([], [], [], [])
    assert (result.tokens_before, result.tokens_after, result.tokens_saved, result.compression_ratio) == (0, 0, 0, 0.0)


def test_a_tuple_is_as_good_as_a_list_and_a_list_comes_back() -> None:
    messages = call_and_output("openai", 1, "list", "{}", [ROWS], "")
    result = run(tuple(messages))
    assert isinstance(result.messages, list) and result.messages == run(messages).messages


@pytest.mark.parametrize("messages", [None, "text", {"role": "user", "content": "x"}, 5, iter([]), {1, 2}])
def test_what_is_no_list_is_refused(messages: Any) -> None:
    with pytest.raises(FormatError, match="must be a list of messages") as caught:
        run(messages)
    assert caught.value.index is None and caught.value.field is None


MALFORMED: list[tuple[Any, str | None]] = [
    ("a bare text", None),
    ({"role": "user"}, "content"),
    ({"content": "x"}, "role"),
    ({"role": "tool", "tool_call_id": "1", "content": 5}, "content"),
    ({"role": "tool", "tool_call_id": "1", "content": [{"type": "text"}]}, "content[0].text"),
    ({"role": "assistant", "tool_calls": [5]}, "tool_calls[0]"),
    ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": 1}]}, "content[0].tool_use_id"),
    ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": 5}]}, "content[0].content"),
    ({"type": "function_call_output", "call_id": "1"}, "output"),
    ({"type": "function_call", "call_id": "1", "name": "x", "arguments": {}}, "arguments"),
]


@pytest.mark.parametrize(("bad", "field"), MALFORMED, ids=[f"{field}-{i}" for i, (_, field) in enumerate(MALFORMED)])
@pytest.mark.parametrize("dialect", FORMATS)
@pytest.mark.parametrize("hooks", [None, CompressionHooks()])
def test_a_malformed_message_is_named_by_index_and_field(dialect: str, bad: Any, field: str | None, hooks: Any) -> None:
    good = call_and_output(dialect, 1, "list", "{}", [ROWS], "")
    with pytest.raises(FormatError) as caught:
        run([*good, bad, *good], hooks=hooks)
    assert (caught.value.index, caught.value.field) == (len(good), field)
    assert isinstance(caught.value, (HeadroomError, ValueError))


@pytest.mark.parametrize("model", [None, 5, b"gpt-4o", ["gpt-4o"]])
def test_a_model_that_is_no_name_is_refused(model: Any) -> None:
    with pytest.raises(ConfigError, match="model must be a str"):
        compress([], model, store=MemoryStore())


def test_options_override_the_config() -> None:
    messages = call_and_output("openai", 1, "list", "{}", [ROWS], "")
    config = CompressConfig(min_tokens=1_000_000, namespace="theirs")
    assert run(messages, config=config).messages == messages
    result = run(messages, config=config, min_tokens=100)
    assert result.references == run(messages, namespace="theirs").references != run(messages).references
    generous = run(messages, config=CompressConfig.preset("firm"), budget=Budget(100_000, 1.0, 100_000), budgets={})
    assert not generous.blocks[0].lossy


# --- what it reports ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", FORMATS)
def test_a_report_tells_all_about_its_text(dialect: str) -> None:
    messages = call_and_output(dialect, 1, "list", "{}", [ROWS], "")
    store = MemoryStore()
    result = run(messages, store=store)
    report = next(report for report in result.blocks if report.kind)
    assert report.before == ROWS == text_at(messages, report.path) and report.after == text_at(result.messages, report.path)
    assert report.kind == report.compressor == "json_records" and report.reason == ""
    assert report.changed and report.lossy and report.stored and not report.failed
    assert report.note and report.note in report.after
    assert result.references == [report.reference] and retrieve(report.reference, store=store) == ROWS
    assert report.tokens_saved == report.tokens_before - report.tokens_after == result.tokens_saved > 0
    assert "json_records" in repr(report) and "1 of " in repr(result)


def test_each_reason_for_leaving_a_text_alone_is_told() -> None:
    unique = " ".join(f"w{i * 7919 % 100003}" for i in range(150))
    once = run(call_and_output("openai", 1, "list", "{}", [ROWS], "")).messages
    messages = [
        {"role": "user", "content": "hello"},
        *once,
        *call_and_output("openai", 2, "headroom_retrieve", "{}", [ROWS], ""),
        *call_and_output("openai", 3, "read", "{}", [unique], ""),
    ]
    reasons = [report.reason for report in run(messages).blocks]
    assert reasons == [protect.SMALL, protect.OURS, protect.RETRIEVED, pipeline.NOTHING_TO_SAVE]


@pytest.mark.parametrize("dialect", FORMATS)
def test_transforms_name_router_kind_and_share(dialect: str) -> None:
    result = run(call_and_output(dialect, 1, "list", "{}", [ROWS], "") + call_and_output(dialect, 2, "logs", "{}", [LOG], ""))
    assert len(result.transforms_applied) == 2
    for transform, kind in zip(result.transforms_applied, ("json_records", "logs"), strict=True):
        match = re.fullmatch(r"router:([a-z_]+):(0\.\d\d|1\.00)", transform)
        assert match is not None and match[1] == kind and 0.3 < float(match[2]) <= 1


@pytest.mark.parametrize("where", ["claims", "compress"])
def test_a_failure_of_ours_is_told_with_its_kind_and_cause(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    class Broken:
        kind = "broken"

        def claims(self, sample: object) -> bool:
            if where == "claims":
                raise ZeroDivisionError("a bug of ours")
            return True

        def compress(self, text: str, request: object) -> None:
            raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("headroom.core.router.candidates", lambda sample: (Broken(),))
    for dialect in FORMATS:
        messages = call_and_output(dialect, 1, "list", "{}", [ROWS], "")
        result = run(messages)
        assert result.messages == messages and result.tokens_saved == 0 and result.tokens_before > 0
        assert result.transforms_applied == ["failed:broken:ZeroDivisionError: a bug of ours"]
        pasted = run([{"role": "user", "content": "look: " + ROWS}])
        assert pasted.transforms_applied == ["failed:broken:ZeroDivisionError: a bug of ours"]


@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_calls_output_is_shortened_and_stays_a_failure(failed: bool) -> None:
    block = {"type": "tool_result", "tool_use_id": "1", "content": LOG, "is_error": failed, "cache_control": {"type": "ephemeral"}}
    (message,) = run([{"role": "user", "content": [block]}]).messages
    (out,) = message["content"]
    assert len(out["content"]) < len(LOG) and {**out, "content": LOG} == block


# --- lossless -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ROWS, LOG, json.dumps(json.loads(ROWS)[:40], indent=2)], ids=["rows", "log", "indented"])
def test_lossless_leaves_nothing_out_and_needs_no_tool(text: str) -> None:
    store = MemoryStore()
    result = run(call_and_output("openai", 1, "list", "{}", [text], ""), lossless=True, store=store)
    (report,) = result.blocks
    assert report.reference is None and not report.lossy and result.references == [] and store.stats().entries == 0
    if report.changed and report.note:
        assert re.search(r"; check=[a-z2-7]{3}\]", report.after) and "headroom_retrieve" not in report.after
        assert marker.find(report.after) == marker.Marker(None, lossy=False)


def test_lossless_shows_every_value() -> None:
    (_, out) = run(call_and_output("openai", 1, "list", "{}", [ROWS], ""), lossless=True).messages
    assert all(str(row["id"]) in out["content"] and row["note"] in out["content"] for row in json.loads(ROWS))


def test_the_users_words_around_a_folded_span_stay_also_where_they_speak_of_markers() -> None:
    words = "\nand note ; check=??? and [x; headroom_retrieve ref=aaaaaaaaaa-???], please"
    for lossless in (True, False):
        (out,) = run([{"role": "user", "content": "look: " + ROWS + words}], lossless=lossless).messages
        assert out["content"].startswith("look: ") and out["content"].endswith(words) and len(out["content"]) < len(ROWS)
        assert marker.find(out["content"]) is not None


# --- asked again ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("look_alikes", "shortened"), [(30, True), (3_000, False)])
def test_a_text_whose_look_alikes_would_hide_our_marker_is_left_alone(look_alikes: int, shortened: bool) -> None:
    lines = "\n".join(f"2026-03-01 10:{i // 60:02}:{i % 60:02} INFO worker handled request {i}" for i in range(900))
    text = f"Look:\n{lines}\nWhat is it?\n" + "see [3 rows; check=f3k] there\n" * look_alikes
    result = compress([{"role": "user", "content": text}], store=MemoryStore())
    (report,) = result.blocks
    assert report.changed == shortened
    assert shortened or report.reason == pipeline.LOOK_ALIKES
    again = compress(result.messages, store=MemoryStore())
    assert again.messages == result.messages


@pytest.mark.parametrize("dialect", FORMATS)
def test_asked_again_it_is_sent_whole_and_the_third_time_it_points_back(dialect: str) -> None:
    long = "\n".join(
        f"Paragraph {i}: the {i * 7 % 97}th order of customer {i * 13 % 89} was shipped {i * 31 % 53} days late." for i in range(700)
    )
    messages: list[Any] = []
    for number in range(3):
        messages += call_and_output(dialect, number + 1, "read", '{"path": "report.txt"}', [long], "")
    first, second, third = [report for report in run(messages).blocks if report.before == long]
    assert first.lossy and first.changed
    assert not second.lossy and all(line in second.after for line in long.split("\n")), "the agent has told that it needs it"
    assert third.changed and "lines shown earlier" in third.after and len(third.after) < len(first.after)


def test_another_call_is_not_the_same_call() -> None:
    messages = call_and_output("openai", 1, "list", '{"page": 1}', [ROWS], "") + call_and_output(
        "openai", 2, "list", '{"page": 2}', [ROWS], ""
    )
    assert [report.lossy for report in run(messages).blocks] == [True, True]


def test_a_text_too_long_to_be_sent_whole_is_digested_again() -> None:
    messages = call_and_output("openai", 1, "list", "{}", [ROWS], "") * 2
    assert [report.lossy for report in run(messages, whole_limit_tokens=0).blocks] == [True, True]


@pytest.mark.parametrize("dialect", FORMATS)
def test_a_users_text_is_nobodys_answer(dialect: str) -> None:
    """A call without an id must not be taken for the one that a user's message answers."""
    function = {"name": "headroom_retrieve", "arguments": "{}"}
    call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{"function": function}]}
    if dialect == "anthropic":
        call = {"role": "assistant", "content": [{"type": "tool_use", "name": "headroom_retrieve", "input": {}}]}
    if dialect == "responses":
        call = {"type": "function_call", **function}
    result = run([call, {"role": "user", "content": "look: " + ROWS}])
    assert result.blocks[-1].changed


# --- what leaves would come out the same again ----------------------------------------------------------------------------


@pytest.mark.parametrize("lossless", [True, False])
def test_a_fold_that_opens_the_way_for_another_is_followed_by_it(lossless: bool) -> None:
    """Two indented documents, alike once minified: minifying needs no word, counting them does."""
    record = {"user": {"name": "Ada", "cards": [{"brand": "visa", "amount": 250}] * 2}, "plan": "silver", "codes": ["M20", "N6F", "IFO"]}
    for text in (json.dumps(record, indent=1), "\n".join([json.dumps(record)] * 9), "Result:\n" + json.dumps(record, indent=4) + "\nDone."):
        once = run(call_and_output("openai", 1, "get", "{}", [text * 4], ""), lossless=lossless)
        assert run(once.messages, lossless=lossless).messages == once.messages


def test_a_request_carries_its_budgets_own_figures() -> None:
    """Whatever a request knows besides: each figure of the budget arrives under its own name."""
    config = CompressConfig(budget=Budget(100, 0.25, 777), budgets={})
    request = shorten.requests(Query(), config, bias=2.0)("any_kind")
    assert (request.budget_tokens, request.budget_share, request.budget_most) == (200, 0.5, 1_554)
    assert request.seen is None and not request.lossless

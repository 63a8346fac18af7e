"""The ten promises, each a property over generated conversations in every wire format.

The corpus of recorded sessions, where it lies beside the checkout, goes through the same properties in
`test_promises_on_corpus.py`.
"""

from __future__ import annotations

import copy
import json
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom import CompressConfig, CompressionHooks, MemoryStore, compress, retrieve
from headroom.core import pipeline
from headroom.core.tokens import count
from tests.conversations import FORMATS, OUTPUTS, call_and_output, conversations, logs, records, text_at, texts_at

MODEL = "gpt-4o"
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
SMALL_BUDGET = CompressConfig.preset("firm")


def fresh(messages: list[Any], **options: Any) -> Any:
    """compress() as a new process would do it: nothing remembered."""
    pipeline._remembered.clear()
    return compress(messages, MODEL, **{"store": MemoryStore(), **options})


@SLOW
@given(conversations())
def test_1_same_shape_out(messages: list[Any]) -> None:
    before = copy.deepcopy(messages)
    result = fresh(messages)
    assert messages == before, "inputs are never mutated"
    assert len(result.messages) == len(messages)
    may_differ = {report.path for report in result.blocks if report.changed}
    seen: dict[tuple[Any, ...], str] = {}
    texts_at(messages, seen.__setitem__)
    after: dict[tuple[Any, ...], str] = {}
    texts_at(result.messages, after.__setitem__)
    assert list(after) == list(seen), "same fields, same order"
    assert {path for path in seen if seen[path] != after[path]} == may_differ
    for index, (old, new) in enumerate(zip(messages, result.messages, strict=True)):
        if all(path[0] != index for path in may_differ):
            assert new is old, "an untouched message is the same object"


@SLOW
@given(conversations())
def test_2_instructions_are_sacred(messages: list[Any]) -> None:
    result = fresh(messages, config=SMALL_BUDGET)
    for old, new in zip(messages, result.messages, strict=True):
        if old.get("role") in ("system", "developer", "assistant") or old.get("type") in ("function_call", "reasoning"):
            assert new is old
    for report in result.blocks:
        if report.changed and messages[report.path[0]].get("role") == "user" and report.path[-1] != "content":
            old = messages[report.path[0]]["content"][report.path[2]]
            assert old["type"] == "tool_result"


@SLOW
@given(before=st.text(max_size=300), log=logs(), after=st.text(max_size=300))
def test_2_the_prose_around_a_pasted_span_stays(before: str, log: str, after: str) -> None:
    text = f"{before}\n\n{log * 3}\n\n{after}"
    result = fresh([{"role": "user", "content": text}], config=SMALL_BUDGET)
    new = result.messages[0]["content"]
    assert new.startswith(before) and new.endswith(after)


@SLOW
@given(conversations())
def test_3_never_larger(messages: list[Any]) -> None:
    result = fresh(messages)
    for report in result.blocks:
        if report.changed:
            assert count(report.after) < count(report.before)
    assert result.tokens_after <= result.tokens_before
    assert result.tokens_saved == result.tokens_before - result.tokens_after
    assert 0.0 <= result.compression_ratio < 1.0


@SLOW
@given(conversations(), st.sampled_from(["gentle", "balanced", "firm"]))
def test_4_nothing_is_lost(messages: list[Any], preset: Any) -> None:
    store = MemoryStore()
    result = fresh(messages, store=store, config=CompressConfig.preset(preset))
    for report in result.blocks:
        assert report.before == text_at(messages, report.path)
        assert report.after == text_at(result.messages, report.path)
        if report.lossy and report.changed:
            assert report.reference is not None and f"ref={report.reference}-" in report.after.replace("\\u2026", "…")
        if report.reference is not None and report.changed:
            assert retrieve(report.reference, store=store) == report.before
    for reference in result.references:
        assert retrieve(reference, store=store)


class BrokenStore(MemoryStore):
    """A store that fails in one way."""

    def __init__(self, method: str, error: Exception) -> None:
        super().__init__()
        self._method, self._error = method, error

    def put_many(self, texts: Any, namespace: str = "default") -> list[str]:
        if self._method == "put_many":
            raise self._error
        return super().put_many(texts, namespace)

    def missing(self, references: Any, namespace: str = "default") -> set[str]:
        if self._method == "missing":
            raise self._error
        return super().missing(references, namespace)


@SLOW
@given(conversations(), st.sampled_from([OSError("disk full"), ValueError("odd"), RuntimeError("no"), MemoryError()]))
def test_4_if_the_store_fails_the_originals_are_sent(messages: list[Any], error: Exception) -> None:
    result = fresh(messages, store=BrokenStore("put_many", error))
    assert not any(report.reference for report in result.blocks if report.changed)
    whole = fresh(messages)
    for mine, theirs in zip(result.blocks, whole.blocks, strict=True):
        if theirs.reference and theirs.changed:
            assert mine.after == mine.before and "store" in mine.reason and type(error).__name__ in mine.reason
            assert any("failed" in transform for transform in result.transforms_applied)


def test_4_a_store_that_fails_later_sends_the_originals_and_recovers_by_itself() -> None:
    messages = call_and_output("openai", 1, "read", "{}", [json.dumps([{"id": i, "text": "x" * (i % 50)} for i in range(900)])], "")
    store = MemoryStore()
    first = fresh(messages, store=store)
    assert first.references
    broken = compress(messages, MODEL, store=BrokenStore("missing", OSError("gone")))
    assert broken.messages == messages and broken.blocks[0].failed
    assert compress(messages, MODEL, store=store).messages == first.messages


def test_4_an_original_that_went_missing_is_stored_again() -> None:
    messages = call_and_output("openai", 1, "read", "{}", [json.dumps([{"id": i, "text": "x" * (i % 50)} for i in range(900)])], "")
    store = MemoryStore()
    reference = fresh(messages, store=store).references[0]
    store.purge()
    again = compress(messages, MODEL, store=store)
    assert retrieve(reference, store=store) == messages[1]["content"] and again.references == [reference]


@SLOW
@given(logs())
def test_5_shown_lines_are_the_originals_own(text: str) -> None:
    result = fresh(call_and_output("openai", 1, "run", "{}", ["\n".join([text] * 3)], ""), config=SMALL_BUDGET)
    report = result.blocks[0]
    if not report.changed:
        return
    plain = report.before.replace("\x1b[31m", "").replace("\x1b[0m", "").replace("\r", "\n").split("\n")
    known = {line.strip() for line in plain}
    for line in report.after.replace("\r", "\n").split("\n"):
        assert line.strip() in known or (line.startswith("[") and line.endswith("]")), line


@SLOW
@given(conversations(), st.data())
def test_6_causal_for_every_prefix(messages: list[Any], data: st.DataObject) -> None:
    whole = fresh(messages).messages
    for n in range(len(messages) + 1):
        assert fresh(messages[:n]).messages == whole[:n]
    store = MemoryStore()
    pipeline._remembered.clear()
    for n in data.draw(st.lists(st.integers(0, len(messages)), max_size=6)):  # any order of calls, with memory
        assert compress(messages[:n], MODEL, store=store).messages == whole[:n]


def test_6_the_model_decides_nothing_about_the_text() -> None:
    messages = call_and_output("openai", 1, "list", "{}", [json.dumps([{"id": i, "s": "ok"} for i in range(500)])], "")
    texts = {json.dumps(fresh_with(model, messages)) for model in ("gpt-4o", "gpt-4", "claude-sonnet-4-5-20250929", "my/own-model")}
    assert len(texts) == 1


def fresh_with(model: str, messages: list[Any]) -> list[Any]:
    pipeline._remembered.clear()
    return list(compress(messages, model, store=MemoryStore()).messages)


@pytest.mark.parametrize("dialect", FORMATS)
def test_6_the_same_in_fresh_processes_under_any_hash_seed(dialect: str, tmp_path: Path) -> None:
    rows = json.dumps([{"id": f"o{i}", "status": "ok" if i % 90 else "failed", "tags": ["a", "b"], "n": i} for i in range(600)])
    log = "\n".join(
        f"10:00:{i % 60:02d} INFO handled {i} by worker-{i % 7}" + (" FATAL out of memory" if i == 700 else "") for i in range(1500)
    )
    messages = [{"role": "user", "content": "which order failed?"}]
    messages += call_and_output(dialect, 1, "list", '{"q": "failed"}', [rows], "Let me look at worker-3.")
    messages += call_and_output(dialect, 2, "logs", '{"q": "worker-3"}', [log, rows], "And the log.")
    program = (
        "import sys, json; from headroom import compress\n"
        "m = json.load(sys.stdin); r = compress(m, model='gpt-4o'); print(json.dumps([r.messages, r.references]))"
    )
    answers = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "HEADROOM_HOME": str(tmp_path / seed)}
        done = subprocess.run(
            [sys.executable, "-c", program], input=json.dumps(messages), capture_output=True, text=True, env=environment, check=True
        )
        answers.add(done.stdout)
    assert len(answers) == 1
    assert json.loads(answers.pop())[1], "something was left out, so the test says something"


@SLOW
@given(conversations())
def test_7_idempotent(messages: list[Any]) -> None:
    store = MemoryStore()
    once = fresh(messages, store=store)
    twice = fresh(once.messages, store=store)
    assert twice.messages == once.messages
    assert set(once.references) <= set(twice.references), "the references stay known"


@SLOW
@given(OUTPUTS, st.sampled_from(FORMATS), st.sampled_from(["headroom_retrieve", "mcp__headroom__headroom_retrieve"]))
def test_7_a_retrieval_is_never_compressed(text: str, dialect: str, name: str) -> None:
    messages = call_and_output(dialect, 1, name, '{"ref": "k3v9x2m7qa"}', [text * 5], "")
    assert fresh(messages, config=SMALL_BUDGET).messages == messages


@SLOW
@given(OUTPUTS)
def test_9_a_compressor_that_raises_costs_a_saving_and_says_so(text: str) -> None:
    class Broken:
        kind = "broken"

        def claims(self, sample: object) -> bool:
            return True

        def compress(self, text: str, request: object) -> None:
            raise ZeroDivisionError("a bug of ours")

    messages = call_and_output("openai", 1, "run", "{}", [text + "x" * 2000], "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headroom.core.router.candidates", lambda sample: (Broken(),))
        result = fresh(messages)
    assert result.messages == messages
    assert result.blocks[0].failed and "ZeroDivisionError" in result.blocks[0].reason
    assert result.transforms_applied == ["failed:broken:ZeroDivisionError: a bug of ours"]
    assert result.tokens_before > 0


def test_10_private_no_network_and_no_file_outside_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HEADROOM_HOME", str(home))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    messages = call_and_output("openai", 1, "list", "{}", [json.dumps([{"id": i, "s": "ok"} for i in range(900)])], "")
    pipeline._remembered.clear()
    result = compress(messages, MODEL)
    assert result.references and result.tokens_saved > 0
    assert not list(work.iterdir()) and not (tmp_path / "nobody").exists()
    assert {path.name.split("-")[0] for path in home.iterdir()} == {"originals.sqlite3"}


@SLOW
@given(st.sampled_from(FORMATS), records(), st.lists(st.floats(0.0, 8.0), min_size=2, max_size=5).map(sorted))
def test_a_bias_changes_how_much_is_kept_monotonically(dialect: str, text: str, biases: list[float]) -> None:
    messages = call_and_output(dialect, 1, "list", "{}", [json.dumps([json.loads(json.dumps({"t": text, "i": i})) for i in range(6)])], "")

    class Biased(CompressionHooks):
        bias = 1.0

        def compute_biases(self, messages: list[Any], ctx: object) -> dict[int, float]:
            return dict.fromkeys(range(len(messages)), self.bias)

    hooks = Biased()
    kept = []
    for bias in biases:
        hooks.bias = bias
        kept.append(fresh(messages, hooks=hooks).tokens_after)
    slack = 40  # a gap's mark costs tokens that the line it stands for may not
    assert all(later >= earlier - slack for earlier, later in pairwise(kept)), kept

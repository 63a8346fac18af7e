"""What a redactor takes out is nowhere: not in the store, not in what is retrieved, not in what the model reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from headroom import CompressionHooks, CompressionService, ConfigError, MemoryStore, SQLiteStore, compress, retrieve
from headroom.core.redaction import WITHHELD
from headroom.tools import call
from headroom.wire.bodies import compress_body
from tests import shop
from tests.conversations import FORMATS, call_and_output, conversations

KEY = "sk-live-4f9a8b7c6d"


class NoKeys(CompressionHooks):
    """Takes keys out, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def redact(self, text: str) -> str:
        self.asked += 1
        return re.sub(r"sk-live-\w{1,40}", "[key]", text)


LEAKY = shop.info_log({700: f"ERROR refused {KEY}", 3: f"INFO began with {KEY}"})


@pytest.mark.parametrize("dialect", FORMATS)
@pytest.mark.parametrize("text", [LEAKY, f"short {KEY}"], ids=["shortened", "left alone"])
def test_neither_sent_nor_stored_nor_retrieved(dialect: str, text: str, tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "kept.sqlite3")
    messages = [{"role": "user", "content": f"My key is {KEY}"}, *call_and_output(dialect, 1, "run", "{}", [text], "")]
    before = json.dumps(messages)
    result = compress(messages, store=store, hooks=NoKeys())
    assert json.dumps(messages) == before, "the caller's objects are the caller's"
    assert KEY not in json.dumps(result.messages)
    assert "[key]" in json.dumps(result.messages)
    for reference in result.references:
        assert retrieve(reference, store=store) == text.replace(KEY, "[key]")
        assert "refused [key]" in call("headroom_retrieve", {"ref": reference, "query": "refused"}, store=store)
    store.close()
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    assert all(KEY not in block.before + block.after for block in result.blocks)


def test_reports_say_so() -> None:
    result = compress(shop.turn(f"short {KEY}"), store=MemoryStore(), hooks=NoKeys())
    block = result.blocks[-1]
    assert (block.redacted, block.changed, block.stored, block.tokens_saved) == (True, True, False, 0)
    assert result.transforms_applied == ["redacted"]
    assert not result.blocks[0].redacted


def test_what_holds_nothing_is_the_same_object() -> None:
    messages = shop.turn("short")
    result = compress(messages, store=MemoryStore(), hooks=NoKeys())
    assert all(left is came for left, came in zip(result.messages, messages, strict=True))


def test_instructions_and_the_assistants_words_are_never_stored_and_stay() -> None:
    system = {"role": "system", "content": f"Use {KEY}."}
    said: list[dict[str, Any]] = call_and_output("openai", 1, "run", json.dumps({"key": KEY}), ["ok"], f"I use {KEY}.")
    assert compress([system, *said], store=MemoryStore(), hooks=NoKeys()).messages == [system, *said]


def test_every_turn_says_the_same_and_asks_only_for_what_is_new() -> None:
    hooks, store = NoKeys(), MemoryStore()
    messages = [*shop.turn(LEAKY), *shop.turn(f"short {KEY}", call="other")]
    turns = [compress(messages[:end], store=store, hooks=hooks).messages for end in range(1, len(messages) + 1)]
    assert all(turn == turns[-1][: len(turn)] for turn in turns)
    assert hooks.asked == 3, "two outputs, and a question that was the same twice"
    again = compress(turns[-1], store=store, hooks=hooks)
    assert again.messages == turns[-1]


@given(conversations())
def test_the_promises_hold_of_what_was_redacted(messages: list[dict[str, Any]]) -> None:
    class Shout(CompressionHooks):
        def redact(self, text: str) -> str:
            return text.replace("failed", "FAILED")

    store = MemoryStore()
    result = compress(messages, store=store, hooks=Shout())
    assert len(result.messages) == len(messages)
    again = compress(result.messages, store=store, hooks=Shout())
    assert again.messages == result.messages


def test_a_store_that_fails_gives_the_redacted_text() -> None:
    class Broken(MemoryStore):
        def put_many(self, texts: Any, namespace: str = "default") -> list[str]:
            raise OSError("gone")

    result = compress(shop.turn(LEAKY), store=Broken(), hooks=NoKeys())
    assert result.blocks[-1].failed
    assert result.messages[-1]["content"] == LEAKY.replace(KEY, "[key]")


def test_a_body_in_which_only_something_was_redacted_goes_out_redacted() -> None:
    body = {"model": "gpt-4o", "messages": shop.turn(f"short {KEY}")}
    done = compress_body(body, "openai", CompressionService(store=MemoryStore(), hooks=NoKeys()))
    assert done.changed
    assert KEY not in json.dumps(done.body)


def test_a_redactor_that_fails_stores_nothing() -> None:
    class Broken(CompressionHooks):
        def redact(self, text: str) -> str:
            raise RuntimeError("no rules")

    store = MemoryStore()
    with pytest.raises(RuntimeError, match="no rules"):
        compress(shop.turn(LEAKY), store=store, hooks=Broken())
    assert store.stats().entries == 0


class FailsOnSome(NoKeys):
    """A redactor with a bug that some texts meet."""

    def redact(self, text: str) -> str:
        if "odd" in text:
            raise RuntimeError("no rules")
        return super().redact(text)


@pytest.mark.parametrize("dialect", FORMATS)
def test_where_a_program_must_go_on_the_text_that_fails_is_withheld_and_the_others_stay_redacted(dialect: str) -> None:
    store = MemoryStore()
    service = CompressionService(store=store, hooks=FailsOnSome())
    turns = [*call_and_output(dialect, 1, "run", "{}", [LEAKY], ""), *call_and_output(dialect, 2, "run", "{}", [f"odd {LEAKY}"], "")]
    with pytest.warns(UserWarning, match="withheld from the model .redact raised RuntimeError: no rules"):
        results = [service.compress(turns[:end], "gpt-4o") for end in range(1, len(turns) + 1)]
    sent = json.dumps(results[-1].messages)  # type: ignore[union-attr]
    assert KEY not in sent and "[key]" in sent and WITHHELD in sent
    assert all(result is not None and result.messages == results[-1].messages[: len(result.messages)] for result in results)  # type: ignore[union-attr]
    assert store.stats().entries == 1, "the other one"
    assert (service.savings.requests, service.savings.failures) == (len(turns), 1)
    assert service.savings.summary()["last_failure"] == "RuntimeError: no rules"


def test_the_callers_other_hooks_are_still_called() -> None:
    class All(FailsOnSome):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []

        def pre_compress(self, messages: Any, ctx: Any) -> Any:
            self.seen.append("pre_compress")
            return messages

        def compute_biases(self, messages: Any, ctx: Any) -> dict[int, float]:
            self.seen.append("compute_biases")
            return {}

        def post_compress(self, event: Any) -> None:
            self.seen.append("post_compress")

    hooks = All()
    CompressionService(store=MemoryStore(), hooks=hooks).compress(shop.turn("short"), "gpt-4o")
    assert hooks.seen == ["pre_compress", "compute_biases", "post_compress"]


def test_what_are_no_hooks_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="must be CompressionHooks"):
        CompressionService(store=MemoryStore(), hooks=object())  # type: ignore[arg-type]


def test_a_redactor_that_returns_no_text() -> None:
    class Wrong(CompressionHooks):
        def redact(self, text: str) -> str:
            return None  # type: ignore[return-value]

    with pytest.raises(ConfigError, match="redact must return a str, not NoneType"):
        compress(shop.turn("x"), store=MemoryStore(), hooks=Wrong())

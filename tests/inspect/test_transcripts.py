"""Which files are understood, and what becomes of the lines that are not."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from headroom.inspect.transcripts import read_transcripts
from tests import shop
from tests.inspect.recordings import OUTPUT, claude_line, claude_session, jsonl

MESSAGES = shop.conversation()


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(MESSAGES).encode(),
        json.dumps({"model": "gpt-4o", "messages": MESSAGES}, indent=1).encode(),
        json.dumps([{"messages": MESSAGES}]).encode(),
        jsonl([{"messages": MESSAGES, "model": "gpt-4o"}]),
        jsonl(MESSAGES),
    ],
    ids=["list", "request", "list of sessions", "session a line", "message a line"],
)
def test_one_conversation(data: bytes) -> None:
    reading = read_transcripts(data, "file")
    (transcript,) = reading.transcripts
    assert [message["role"] for message in transcript.messages] == ["user", "assistant", "tool"]
    assert transcript.messages == MESSAGES
    assert not reading.problems


def test_sessions_one_a_line_have_names_and_models() -> None:
    reading = read_transcripts(jsonl([{"messages": MESSAGES, "model": "gpt-4"}, {"input": MESSAGES}]), "log")
    assert [(one.name, one.model) for one in reading.transcripts] == [("log, line 1", "gpt-4"), ("log, line 2", "")]


def test_claude_code_threads() -> None:
    reading = read_transcripts(jsonl(claude_session()), "log")
    main, side = reading.transcripts
    assert (main.name, side.name) == ("log, thread 1", "log, sidechain 2")
    assert main.model == "claude-sonnet-4-5-20250929"
    assert [message["role"] for message in main.messages] == ["user", "assistant", "user", "user", "assistant"]
    assert [block["type"] for block in main.messages[1]["content"]] == ["text", "tool_use", "tool_use"], "one answer is one message"
    assert main.messages[2]["content"][0]["content"] == OUTPUT
    assert [message["role"] for message in side.messages] == ["user", "assistant", "user"]
    assert not reading.problems


def test_what_claude_code_said_itself_is_no_answer_of_the_model() -> None:
    lines = claude_session()
    spoken = claude_line("assistant", [{"type": "text", "text": "API Error"}], "z", "h")
    spoken["message"]["model"] = "<synthetic>"
    assert len(read_transcripts(jsonl([*lines, spoken]), "log").transcripts[0].messages) == 5


def test_a_compacted_conversation_begins_anew() -> None:
    lines = [*claude_session()[:9], claude_line("user", "Summary of what was said", "n", None), claude_line("assistant", "Go on", "o", "n")]
    names = [one.name for one in read_transcripts(jsonl(lines), "log").transcripts]
    assert names == ["log, thread 1", "log, sidechain 2", "log, thread 3"]


def test_a_broken_line_is_told_and_skipped() -> None:
    data = jsonl(claude_session())
    broken = data.replace(b'{"type": "system"', b'{"type": "sys', 1)[:-40]
    reading = read_transcripts(broken, "log")
    assert len(reading.transcripts) == 2
    assert reading.problems == ["log: line 10 is not JSON, and was skipped", "log: line 13 is not JSON, and was skipped"]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[1, 2]", b"plain words\n", b"\xff\xfe", b"null\n[]\n", b'{"a": 1}\n{"b": 2}\n', b"[" * 5_000]
)
def test_what_holds_no_messages_is_one_output(data: bytes) -> None:
    (transcript,) = read_transcripts(data, "file").transcripts
    assert transcript.is_text


@pytest.mark.parametrize(
    "strange",
    [
        {"type": "user"},
        {"type": "user", "uuid": "x", "message": None},
        {"type": "user", "uuid": "x", "message": {"role": "user"}},
        {"type": "assistant", "uuid": 5, "parentUuid": 5, "message": {"role": "assistant", "content": 3}},
        {"type": ["user"], "message": {}},
        {"type": "user", "uuid": "a", "parentUuid": "a", "message": {"role": "user", "content": "own parent"}},
    ],
)
def test_strange_entries_harm_nobody(strange: dict[str, object]) -> None:
    reading = read_transcripts(jsonl([strange, *claude_session(), strange]), "log")
    assert any(len(one.messages) >= 5 for one in reading.transcripts)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("items", [claude_session(), MESSAGES, [{"messages": MESSAGES}, {"messages": MESSAGES}]])
def test_byte_order_marks_and_line_ends_of_windows(items: list[object], encoding: str) -> None:
    plain = jsonl(items)
    reading = read_transcripts(plain.decode().replace("\n", "\r\n").encode(encoding), "log")
    assert reading == read_transcripts(plain, "log")
    assert not reading.problems and not any(one.is_text for one in reading.transcripts)


def test_a_large_session_is_read_line_by_line() -> None:
    """One character of four bytes would make the whole text take four times its size, and every output stands there twice."""
    lines = [{**line, "toolUseResult": {"stdout": "x" * 100_000}, "note": "\U0001f600"} for line in claude_session()[2:] * 10]
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    tracemalloc.start()
    try:
        reading = read_transcripts(data, "log")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reading.transcripts
    assert most < len(data)

"""Streams of several rounds become one: at once, whatever the network does to the bytes, and untouched where nothing is hidden."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.wire.rounds import Rounds
from headroom.wire.streams import RoundStream
from tests.scripted_dialects import DIALECTS as SCRIPTED
from tests.scripted_model import Call, Reply, Request
from tests.wire.talks import DIALECTS, Json, body_of, events, messages, new_service, whole_of, words_of

every = pytest.mark.parametrize("dialect", DIALECTS)
PATH = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}


def pieces(dialect: str, reply: Reply, body: Any, number: int = 0, line_end: str = "\n") -> Iterator[bytes]:
    """What a provider would stream, event by event."""
    made = SCRIPTED[dialect](Request("POST", PATH[dialect], {}, b"", dict(body), number), reply)
    for name, data in made.events():
        named = f"event: {name}{line_end}" if name else ""
        yield f"{named}data: {json.dumps(data)}{line_end}{line_end}".encode()
    if dialect == "openai":
        yield f"data: [DONE]{line_end}{line_end}".encode()


def lookup(rounds: Rounds, *beside: Call, text: str = "Let me look.", thinking: str = "hm") -> Reply:
    assert rounds.result is not None
    ours = Call("headroom_retrieve", {"ref": rounds.result.references[0], "query": "ord_7301"}, "ours-1")
    return Reply(text, calls=(ours, *beside), thinking=thinking)


def begun(dialect: str, **more: Any) -> tuple[Rounds, RoundStream]:
    rounds = Rounds(dialect, body_of(dialect, messages(dialect), stream=True, **more), new_service())
    return rounds, rounds.stream()


def through(stream: RoundStream, chunks: Any) -> bytes:
    return b"".join(stream.feed(chunk) for chunk in chunks)


@every
def test_where_nothing_is_hidden_the_very_bytes_pass(dialect: str) -> None:
    rounds, stream = begun(dialect)
    reply = Reply("plain words", calls=(Call("get_order", {"id": 1}),), thinking="hm")
    chunks = [b": hello\n\n", *pieces(dialect, reply, rounds.body), b'event: new_kind\r\ndata: {"x":  1.10}\r\n\r\n', b"half a line"]
    passed = through(stream, chunks)
    last, following = stream.end()
    assert following is None
    if dialect != "responses":  # which repeats the list of tools, and ours is not in the client's
        assert passed + last == b"".join(chunks)
    else:
        assert b"headroom" in b"".join(chunks) and b"headroom" not in passed
        assert passed.endswith(chunks[-2]) and last == chunks[-1]


@every
def test_words_and_thoughts_go_on_at_once(dialect: str) -> None:
    """Every event with words comes out of the very call that brought it in, though a call of ours follows."""
    rounds, stream = begun(dialect)
    kinds = ("output_text.delta", "text_delta", "thinking_delta", '"delta": {"content": "', "summary_text.delta")
    for chunk in pieces(dialect, lookup(rounds), rounds.body):
        passed = stream.feed(chunk)
        if any(kind in chunk.decode() for kind in kinds):
            assert passed == chunk
        assert b"headroom_retrieve" not in passed
        assert b"7301" not in passed
    last, following = stream.end()
    assert last == b"" and following is not None
    for chunk in pieces(dialect, Reply("It is that.", thinking="aha"), following, 1):
        if any(kind in chunk.decode() for kind in kinds):
            assert stream.feed(chunk) != b""
        else:
            stream.feed(chunk)


@every
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_kind(dialect: str, line_end: str) -> None:
    rounds, stream = begun(dialect)
    raw = through(stream, pieces(dialect, lookup(rounds), rounds.body, line_end=line_end))
    last, following = stream.end()
    raw += last + through(stream, pieces(dialect, Reply("Done."), following, 1, line_end))
    last, following = stream.end()
    text = (raw + last).decode().replace("\r\n", "\n").replace("\r", "\n")
    assert following is None
    assert words_of(dialect, whole_of(dialect, text.encode())).endswith("Done.")


@pytest.mark.parametrize("dialect", DIALECTS)
@given(data=st.data())
def test_any_cut_gives_the_same(dialect: str, data: st.DataObject) -> None:
    def run(cuts: tuple[list[int], list[int]]) -> bytes:
        rounds, stream = begun(dialect)
        following: Any = rounds.body
        replies = [lookup(rounds), Reply("Now this.", calls=(Call("get_order", {"id": 7}, "own"),), thinking="so")]
        raw = b""
        for number, reply in enumerate(replies):
            whole = b": first\n\n" + b"".join(pieces(dialect, reply, following, number))
            edges = [0, *sorted(min(cut, len(whole)) for cut in cuts[number]), len(whole)]
            raw += through(stream, (whole[start:end] for start, end in itertools.pairwise(edges)))
            last, following = stream.end()
            raw += last
        return raw

    cuts = st.lists(st.integers(0, 6_000), max_size=30)
    assert run((data.draw(cuts), data.draw(cuts))) == run(([], []))


@every
def test_calls_of_the_client_are_numbered_as_if_ours_were_not_there(dialect: str) -> None:
    for place in range(3):
        rounds, stream = begun(dialect)
        ours = lookup(rounds).calls[0]
        calls = [Call("get_order", {"id": 1}, "own-1"), Call("get_order", {"id": 2}, "own-2")]
        calls.insert(place, ours)
        raw = through(stream, pieces(dialect, Reply("So.", calls=tuple(calls), thinking="hm"), rounds.body))
        last, following = stream.end()
        assert following is None, "the client must answer first"
        text = json.dumps(whole_of(dialect, raw + last))
        assert "own-1" in text and "own-2" in text and "ours-1" not in text


@every
def test_an_error_in_the_stream_is_passed_on(dialect: str) -> None:
    rounds, stream = begun(dialect)
    error: Json = {"error": {"type": "overloaded_error", "message": "busy"}}
    chunk = f"data: {json.dumps(error)}\n\n".encode()
    if dialect != "openai":
        chunk = f"event: error\ndata: {json.dumps({'type': 'error', **error})}\n\n".encode()
    begin = next(pieces(dialect, Reply("so"), rounds.body))
    passed = stream.feed(begin + chunk)
    assert passed.endswith(chunk)
    assert stream.end() == (b"", None)


@every
def test_after_an_error_no_round_follows(dialect: str) -> None:
    rounds, stream = begun(dialect)
    through(stream, pieces(dialect, lookup(rounds), rounds.body))
    stream.feed(b'event: error\ndata: {"type": "error", "error": {"message": "busy"}}\n\n')
    assert stream.end()[1] is None


@every
def test_a_stream_that_breaks_off_asks_nothing_more(dialect: str) -> None:
    rounds, stream = begun(dialect)
    chunks = list(pieces(dialect, lookup(rounds), rounds.body))
    through(stream, chunks[: len(chunks) * 2 // 3])
    assert stream.end()[1] is None
    assert rounds.service.savings.retrievals == 0


@every
def test_a_later_round_that_is_refused_is_told_in_the_stream(dialect: str) -> None:
    rounds, stream = begun(dialect)
    through(stream, pieces(dialect, lookup(rounds), rounds.body))
    stream.end()
    told = events(stream.failed(529, b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy", "code": "x"}}'))[0]
    assert "busy" in json.dumps(told)
    assert "529" in json.dumps(events(stream.failed(529, b"<html>"))[0])
    if dialect == "responses":
        assert isinstance(told["sequence_number"], int)


@every
@pytest.mark.filterwarnings("ignore:Headroom")
def test_what_cannot_be_understood_passes_and_is_counted(dialect: str) -> None:
    nonsense: dict[str, Json] = {
        "openai": {"choices": [7]},
        "anthropic": {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "x"}},
        "responses": {"type": "response.completed", "response": {"output": [7]}},
    }
    rounds, stream = begun(dialect)
    chunk = f"data: {json.dumps(nonsense[dialect])}\n\n".encode()
    assert stream.feed(chunk) == chunk
    assert rounds.service.savings.failures == 1
    assert stream.feed(b"data: and") == b"data: and", "from here on everything passes"
    assert stream.end() == (b"", None)


@every
def test_a_stream_without_a_tool_of_ours_passes_unread(dialect: str) -> None:
    rounds = Rounds(dialect, body_of(dialect, messages(dialect), stream=True), new_service(), retrieval=False)
    stream = rounds.stream()
    assert [stream.feed(bytes([byte])) for byte in b"data: x"] == [bytes([byte]) for byte in b"data: x"]
    assert stream.end() == (b"", None)


# --- OpenAI chat: servers differ ------------------------------------------------------------------------------------------


def _chat(*deltas: Json, finish: str = "tool_calls", usage: Json | None = None) -> Iterator[bytes]:
    for place, delta in enumerate((*deltas, {})):
        reason = finish if place == len(deltas) else None
        chunk = {"id": "c", "created": 1, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        yield f"data: {json.dumps({**chunk, **({'usage': usage} if usage else {})})}\n\n".encode()
    yield b"data: [DONE]\n\n"


def _call(id: str | None, name: str | None, arguments: str, **more: Any) -> Json:
    function = {"arguments": arguments, **({"name": name} if name is not None else {})}
    return {"tool_calls": [{**({"id": id, "type": "function"} if id else {}), "function": function, **more}]}


def test_a_call_whose_name_comes_late_is_shown_when_it_is_known() -> None:
    _, stream = begun("openai")
    late = [{"role": "assistant"}, _call("a", "", "{", index=0), _call(None, "get_order", "", index=0), _call(None, None, "}", index=0)]
    raw = through(stream, _chat(*late))
    pieces_of_calls = [piece for chunk in events(raw)[:-1] for piece in chunk["choices"][0]["delta"].get("tool_calls") or []]
    assert "".join(piece["function"]["arguments"] for piece in pieces_of_calls) == "{}"
    assert pieces_of_calls[0]["function"]["name"] == "get_order" and pieces_of_calls[0]["id"] == "a"

    _, stream = begun("openai")
    ours = [{"role": "assistant"}, _call("a", "", "", index=0), _call(None, "headroom_retrieve", '{"ref": "x"}', index=0)]
    assert b"tool_calls" not in through(stream, _chat(*ours))
    following = stream.end()[1]
    assert following is not None
    assert following["messages"][-2]["tool_calls"][0]["function"] == {"name": "headroom_retrieve", "arguments": '{"ref": "x"}'}


@pytest.mark.parametrize("index", [{}, {"index": 0}], ids=["no index", "one index for all"])
def test_whole_calls_that_are_not_numbered_are_told_apart_by_their_ids(index: Json) -> None:
    _, stream = begun("openai")
    raw = through(
        stream, _chat({"role": "assistant"}, _call("a", "headroom_retrieve", "{}", **index), _call("b", "get_order", "{}", **index))
    )
    assert b"headroom" not in raw
    assert b"get_order" in raw
    assert stream.end()[1] is None


def test_usage_in_every_chunk_is_that_of_the_rounds_so_far() -> None:
    rounds, stream = begun("openai")
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}
    ours = lookup(rounds).calls[0]
    through(stream, _chat({"role": "assistant"}, _call("a", ours.name, json.dumps(ours.arguments), index=0), usage=usage))
    assert stream.end()[1] is not None
    raw = through(stream, _chat({"role": "assistant", "content": "hi"}, finish="stop", usage=usage))
    seen = [chunk["usage"] for chunk in events(raw)[:-1]]
    assert all(found == {"prompt_tokens": 20, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}} for found in seen)


def test_thoughts_of_other_vendors_go_back_with_the_call() -> None:
    """DeepSeek, Moonshot and OpenRouter refuse a conversation whose calls lost the thoughts before them."""
    rounds, stream = begun("openai")
    ours = lookup(rounds).calls[0]
    details = [{"type": "reasoning.text", "index": 0, "text": text} for text in ("thin", "king")]
    deltas = [
        {"role": "assistant", "reasoning_content": "thin", "reasoning_details": details[:1]},
        {"reasoning_content": "king", "reasoning_details": details[1:]},
        _call("a", ours.name, json.dumps(ours.arguments), index=0, extra_content={"google": {"thought_signature": "s"}}),
    ]
    raw = through(stream, _chat(*deltas))
    assert b"thin" in raw
    following = stream.end()[1]
    assert following is not None
    said = following["messages"][-2]
    assert said["reasoning_content"] == "thinking"
    assert said["reasoning_details"] == [{"type": "reasoning.text", "index": 0, "text": "thinking"}]
    assert said["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_words_and_the_end_in_one_chunk() -> None:
    rounds, stream = begun("openai")
    ours = lookup(rounds).calls[0]
    call = _call("a", ours.name, json.dumps(ours.arguments), index=0)
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "so", **call}, "finish_reason": "tool_calls"}]}
    passed = stream.feed(f"data: {json.dumps(chunk)}\n\n".encode())
    [shown] = events(passed)
    assert shown["choices"][0] == {"index": 0, "delta": {"content": "so"}, "finish_reason": None}
    assert stream.end()[1] is not None


# --- Anthropic ------------------------------------------------------------------------------------------------------------


def test_citations_and_server_tools_go_back_whole() -> None:
    rounds, stream = begun("anthropic")
    ours = lookup(rounds).calls[0]
    cited = [{"type": "citations_delta", "citation": {"c": 1}}, {"type": "text_delta", "text": "x"}]
    asked = [{"type": "input_json_delta", "partial_json": json.dumps(ours.arguments)}]
    blocks: list[tuple[Json, list[Json]]] = [
        ({"type": "text", "text": "", "citations": None}, cited),
        ({"type": "redacted_thinking", "data": "sealed"}, []),
        ({"type": "text", "text": ""}, []),
        ({"type": "tool_use", "id": "t", "name": ours.name, "input": {}}, asked),
    ]
    usage = {"input_tokens": 9, "cache_read_input_tokens": 4}
    found: list[Json] = [{"type": "message_start", "message": {"usage": usage}}]
    for index, (block, deltas) in enumerate(blocks):
        found.append({"type": "content_block_start", "index": index, "content_block": block})
        found += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        found.append({"type": "content_block_stop", "index": index})
    found.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}})
    found.append({"type": "message_stop"})
    through(stream, (f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode() for data in found))
    following = stream.end()[1]
    assert following is not None
    said = following["messages"][-2]["content"]
    assert [block["type"] for block in said] == ["text", "redacted_thinking", "tool_use"], "an empty text would be refused"
    assert said[0]["citations"] == [{"c": 1}]
    assert said[2]["input"] == ours.arguments
    raw = through(stream, pieces("anthropic", Reply("y", usage=(5, 2)), following, 1))
    assert events(raw)[-2]["usage"] == {"input_tokens": 14, "cache_read_input_tokens": 4, "output_tokens": 5}

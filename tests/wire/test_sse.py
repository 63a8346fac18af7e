"""Events come out of a stream whole, at once, and byte for byte, however the network has cut them."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from headroom.wire.sse import EventReader, write

STREAM = (
    b": keep-alive\n\nevent: ping\ndata: {}\n\r\ndata: one\r\ndata: two\r\n\r\ndata:no space\n\n"
    + 'id: 7\nretry: 10\ndata: {"text": "naïve \u2028 🙂"}\n\n'.encode()
    + b"event: done\rdata: [DONE]\r\rdata: never ended"
)
DATA = ["", "{}", "one\ntwo", "no space", '{"text": "naïve \u2028 🙂"}', "[DONE]", "never ended"]


def _read(chunks: list[bytes]) -> list[tuple[bytes, str, str]]:
    reader = EventReader()
    found = [event for chunk in chunks for event in reader.feed(chunk)] + reader.rest()
    return [(event.raw, event.name, event.data) for event in found]


def test_events_have_names_and_data() -> None:
    found = _read([STREAM])
    assert [data for _, _, data in found] == DATA
    assert [name for _, name, _ in found] == ["", "ping", "", "", "", "done", ""]
    assert b"".join(raw for raw, _, _ in found) == STREAM


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_any_cut_gives_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert _read([STREAM[start:end] for start, end in itertools.pairwise(edges)]) == _read([STREAM])


def test_byte_by_byte() -> None:
    assert _read([bytes([byte]) for byte in STREAM]) == _read([STREAM])


def test_an_event_is_there_as_soon_as_its_blank_line_is() -> None:
    reader = EventReader()
    assert reader.feed(b"data: 1\n") == []
    assert [event.data for event in reader.feed(b"\n")] == ["1"]
    assert [event.data for event in reader.feed(b"data: 2\r\n\r\n")] == ["2"]


def test_a_byte_order_mark_is_no_part_of_the_data() -> None:
    assert [event.data for event in EventReader().feed(b"\xef\xbb\xbfdata: 1\n\n")] == ["1"]


def test_other_data_in_the_same_event() -> None:
    event = EventReader().feed(b': note\r\nid: 3\r\nevent: x\r\ndata: {"a":\r\ndata: 1}\r\n\r\n')[0]
    assert event.json() == {"a": 1}
    changed = EventReader().feed(event.with_json({"a": "\ud800 ü"}))[0]
    assert (changed.name, changed.json()) == ("x", {"a": "\ud800 ü"})
    assert changed.raw.startswith(b": note\nid: 3\nevent: x\n")


def test_what_is_no_object_has_no_json() -> None:
    for data in (b"[DONE]", b"[1]", b"{broken", b'{"a":' * 50_000):
        assert EventReader().feed(b"data: " + data + b"\n\n")[0].json() is None


def test_an_event_of_our_own_can_be_read_again() -> None:
    event = EventReader().feed(write("error", {"line": "a\nb"}))[0]
    assert (event.name, json.loads(event.data)) == ("error", {"line": "a\nb"})


def test_a_long_line_in_small_pieces_is_searched_once() -> None:
    reader = EventReader()
    for _ in range(20_000):
        assert reader.feed(b"x" * 50) == []
    assert reader._searched == 1_000_000

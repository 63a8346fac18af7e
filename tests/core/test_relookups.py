"""Records looked up again: a pointer stands only for what the last record with the same id shows, and nothing gets lost."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from headroom import MemoryStore, compress, retrieve
from headroom.core.relookups import LARGEST, FoldedRecord, VisibleRecords

ORDER: dict[str, Any] = {
    "order_id": "#W5490111",
    "user_id": "mia_garcia_4516",
    "address": {"address1": "537 Main Street", "city": "San Francisco", "zip": "94119"},
    "items": [
        {"name": "Action Camera", "item_id": "1586641416", "price": 497.39},
        {"name": "Running Shoes", "item_id": "4153505238", "price": 158.67},
        {"name": "Mechanical Keyboard with tactile switches", "item_id": "2299424241", "price": 237.48},
    ],
    "payments": [{"type": "payment", "amount": 1111.95, "method": "credit_card_3124723"}],
    "shipping": {"carrier": "by land", "tracking_ids": ["749633117731", "749633117732"], "promised": "2024-06-02"},
    "status": "pending",
}
CANCELLED = {
    **ORDER,
    "payments": [*ORDER["payments"], {"type": "refund", "amount": 1111.95, "method": "credit_card_3124723"}],
    "status": "cancelled",
}

_MARK = re.compile(r"\[… (\d+) (key|item)s?(?:, (.+?) to (.+?),| (.+?))?? as (?:there|in the last record with ([^=\]]+)=([^\]]+))\]")


def folded(text: str, *earlier: str, lossy: bool = False) -> FoldedRecord | None:
    visible = VisibleRecords()
    for known in earlier:
        visible.add(known, lossy=lossy)
    return visible.fold(text)


def decoded(text: str, earlier: dict[str, Any]) -> Any:
    """The record again: what each mark names is copied from the earlier record."""
    marks: list[re.Match[str]] = []

    def stand_in(mark: re.Match[str]) -> str:
        marks.append(mark)
        name = json.dumps(f"\0{len(marks) - 1}")
        return f"{name}:0" if mark[2] == "key" else name

    return _filled(json.loads(_MARK.sub(stand_in, text)), earlier, marks)


def _filled(value: Any, earlier: Any, marks: list[re.Match[str]]) -> Any:
    if isinstance(value, dict):
        out: dict[str, Any] = {}
        for key, item in value.items():
            if key.startswith("\0"):
                mark = marks[int(key[1:])]
                names = list(earlier)
                start = names.index(mark[3] or mark[5])
                run = names[start : start + int(mark[1])]
                assert run[-1] == (mark[4] or mark[5])
                out.update({name: earlier[name] for name in run})
            else:
                out[key] = _filled(item, earlier.get(key) if isinstance(earlier, dict) else None, marks)
        return out
    if isinstance(value, list):
        items: list[Any] = []
        for item in value:
            if isinstance(item, str) and item.startswith("\0"):
                items += earlier[len(items) : len(items) + int(marks[int(item[1:])][1])]
            else:
                known = isinstance(earlier, list) and len(items) < len(earlier)
                items.append(_filled(item, earlier[len(items)] if known else None, marks))
        return items
    return value


def test_what_changed_is_shown_and_the_rest_pointed_to() -> None:
    fold = folded(json.dumps(CANCELLED), json.dumps(ORDER))
    assert fold is not None
    assert fold.text == (
        '{"order_id":"#W5490111",[… 3 keys, user_id to items, as in the last record with order_id=#W5490111],'
        '"payments":[[… 1 item as there],{"type":"refund","amount":1111.95,"method":"credit_card_3124723"}],'
        '[… 1 key shipping as there],"status":"cancelled"}'
    )
    assert fold.values == 5
    assert decoded(fold.text, ORDER) == CANCELLED


def test_a_record_that_did_not_change_is_its_id_and_a_pointer() -> None:
    fold = folded(json.dumps(ORDER), json.dumps(ORDER, indent=2))
    assert fold is not None
    assert fold.text == '{"order_id":"#W5490111",[… 6 keys, user_id to status, as in the last record with order_id=#W5490111]}'


def test_the_id_may_stand_in_a_wrapper() -> None:
    fold = folded(json.dumps({"ok": True, "data": CANCELLED}), json.dumps({"ok": True, "data": ORDER}))
    assert fold is not None
    assert fold.text.startswith(
        '{"ok":true,"data":{"order_id":"#W5490111",[… 3 keys, user_id to items, as in the last record with data.order_id='
    )


ELSEWHERE = {name: ORDER[name] for name in ("order_id", "user_id")} | {"address": "another road"}


@pytest.mark.parametrize(
    "between",
    [
        json.dumps(ELSEWHERE),
        json.dumps([ELSEWHERE, ELSEWHERE]),
        f"Here it is: {json.dumps(ELSEWHERE, indent=1)}",
        json.dumps({"orders": [ELSEWHERE], "text": "x" * 400}),
        json.dumps({"text": json.dumps(ELSEWHERE)}),
    ],
)
def test_a_record_that_came_again_in_another_shape_is_not_the_last_one(between: str) -> None:
    def known_by(text: str) -> list[str]:
        fold = folded(json.dumps(CANCELLED), json.dumps(ORDER), text)
        return [] if fold is None else re.findall("in the last record with ([^=]+)=", fold.text)

    assert known_by(between.replace("W5490111", "W0000000").replace("mia_garcia_4516", "ada_smith_1111")) == ["order_id"]
    assert not set(known_by(between)) & {"order_id", "user_id"}


def test_only_the_last_record_with_an_id_is_pointed_to() -> None:
    assert folded(json.dumps(ORDER), json.dumps(ORDER), json.dumps(CANCELLED)) is not None
    fold = folded(json.dumps(ORDER), json.dumps(ORDER), json.dumps(CANCELLED))
    assert fold is not None and '"status":"pending"' in fold.text


@pytest.mark.parametrize(
    "earlier",
    [
        "",
        "not JSON",
        json.dumps([ORDER]),
        json.dumps({**ORDER, "order_id": "#W1", "user_id": "other_1", "address": {}, "items": [], "payments": []}),
        json.dumps(ORDER)[:-1] + ',"status":"twice"}',
        json.dumps(ORDER) + " " * LARGEST,
    ],
    ids=["nothing", "words", "a list", "another record", "duplicate keys", "too large"],
)
def test_nothing_is_pointed_to_but_a_record_with_the_same_id(earlier: str) -> None:
    assert folded(json.dumps(ORDER), earlier) is None


def test_a_record_that_was_not_shown_whole_is_not_pointed_to() -> None:
    assert folded(json.dumps(ORDER), json.dumps(ORDER), lossy=True) is None


def test_numbers_stay_as_they_are_written() -> None:
    before, after = json.dumps(ORDER).replace("497.39", "497.390"), json.dumps(ORDER)
    fold = folded(after, before)
    assert fold is not None and "497.39}" in fold.text


def test_a_decoder_gives_back_two_thousand_random_changes() -> None:
    random_ = random.Random(4)
    pointed = 0
    for _ in range(2_000):
        earlier = _random_record(random_)
        later = _changed(earlier, random_)
        fold = folded(json.dumps(later), json.dumps(earlier))
        if fold is not None:
            pointed += 1
            assert decoded(fold.text, earlier) == later
    assert pointed > 1_000


def _random_record(random_: random.Random) -> dict[str, Any]:
    record: dict[str, Any] = {"id": f"r_{random_.randrange(10**6)}"}
    for index in range(random_.randrange(4, 12)):
        record[f"key_{index}"] = _random_value(random_, 0)
    record["text"] = "some words " * 60
    return record


def _random_value(random_: random.Random, depth: int) -> Any:
    choice = random_.randrange(7 if depth < 3 else 5)
    if choice == 5:
        return [_random_value(random_, depth + 1) for _ in range(random_.randrange(5))]
    if choice == 6:
        return {f"part {index}": _random_value(random_, depth + 1) for index in range(random_.randrange(5))}
    return (None, True, random_.randrange(10**9), 'wörter, "quoted" 1', f"id-{random_.randrange(10**6)}")[choice]


def _changed(value: Any, random_: random.Random) -> Any:
    if isinstance(value, dict):
        members = [(key, _changed(item, random_) if random_.random() < 0.3 and key != "id" else item) for key, item in value.items()]
        if random_.random() < 0.1:
            members.insert(random_.randrange(len(members) + 1), ("new key", "new"))
        if random_.random() < 0.1:
            members.reverse()
        return dict(members)
    if isinstance(value, list):
        items = [_changed(item, random_) if random_.random() < 0.3 else item for item in value]
        return items[1:] if random_.random() < 0.2 else [*items, "new"] if random_.random() < 0.3 else items
    return "changed" if random_.random() < 0.5 else value


# --- in a conversation ----------------------------------------------------------------------------------------------------


def conversation(*outputs: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Please cancel my order."}]
    for number, output in enumerate(outputs):
        call = {"id": f"c{number}", "type": "function", "function": {"name": f"tool_{number}", "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": output},
        ]
    return messages


WRITINGS = {
    "as it is": json.dumps,
    "indented": lambda record: json.dumps(record, indent=1),
    "in a block": lambda record: json.dumps({"type": "text", "text": json.dumps(record)}),
    "fenced": lambda record: f"```json\n{json.dumps(record)}\n```",
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_conversation_shows_a_record_once(writing: str) -> None:
    write = WRITINGS[writing]
    store = MemoryStore()
    result = compress(conversation(write(ORDER), write(CANCELLED)), store=store)
    shown = result.messages[4]["content"]
    assert "as in the last record" in shown and "refund" in shown and "5 values shown earlier" in shown
    (reference,) = [block.reference for block in result.blocks if "shown earlier" in block.note]
    assert reference is not None
    assert retrieve(reference, store=store) == write(CANCELLED)


def test_without_a_store_too() -> None:
    result = compress(conversation(json.dumps(ORDER), json.dumps(CANCELLED)), lossless=True)
    assert "as in the last record" in result.messages[4]["content"]
    assert "ref=" not in result.messages[4]["content"]


def test_a_record_that_was_digested_is_not_pointed_to() -> None:
    long = {**ORDER, "notes": [f"note {i} about something else entirely, {i * 977 % 1009}" for i in range(400)]}
    result = compress(conversation(json.dumps(long), json.dumps(long | {"status": "done"})), store=MemoryStore())
    assert any(block.lossy for block in result.blocks)
    assert "as in the last record" not in result.messages[4]["content"]


def test_compressing_twice_finds_records_to_point_to() -> None:
    once = compress(conversation(*map(json.dumps, (ORDER, CANCELLED, ORDER, ORDER))), store=MemoryStore()).messages
    assert sum("as in the last record" in str(message["content"]) for message in once) == 3


@pytest.mark.parametrize("seed", range(40))
def test_compressing_twice_changes_nothing_whatever_came_between(seed: int) -> None:
    random_ = random.Random(seed)
    records = [_random_record(random_) for _ in range(3)]
    outputs = []
    for _ in range(12):
        which = random_.randrange(3)
        records[which] = _changed(records[which], random_)
        outputs.append(json.dumps(records[which], indent=random_.choice((None, 1))))
    store = MemoryStore()
    once = compress(conversation(*outputs), store=store).messages
    assert compress(once, store=store).messages == once
    for length in range(1, len(once)):
        assert compress(conversation(*outputs)[:length], store=MemoryStore()).messages == once[:length]

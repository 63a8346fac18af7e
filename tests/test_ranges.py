"""What a gap's mark names, `lines=` gives back: the range as it is written there, copied by a model."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from headroom import CompressConfig, MemoryStore, compress, retrieve
from tests.conversations import call_and_output

GAP = re.compile(r"\[… ([\d,]+) (lines|rows), (\d+)-(\d+)")
FIRM = CompressConfig.preset("firm")


def shortened(text: str) -> tuple[str, str, MemoryStore]:
    """(what the model sees, the reference, the store)."""
    store = MemoryStore()
    result = compress(call_and_output("openai", 1, "read", "{}", [text], ""), "gpt-4o", store=store, config=FIRM)
    return result.messages[1]["content"], result.references[0], store


def test_lines_of_a_log() -> None:
    lines = [f"10:{i // 60:02d}:{i % 60:02d} INFO request {i * 7919 % 10007} served by worker-{i % 7}" for i in range(700)]
    seen, reference, store = shortened("\n".join(lines))
    for count, _, first, last in GAP.findall(seen):
        answer = retrieve(reference, lines=f"{first}-{last}", store=store)
        assert answer == "\n".join(lines[int(first) - 1 : int(last)]) and answer.count("\n") + 1 == int(count.replace(",", ""))


def test_lines_of_a_view_that_begins_in_the_middle_of_a_file() -> None:
    code = [f"    total_{i} = price_{i * 37 % 101} * amount_{i} + shipping_of(order)" for i in range(600)]
    view = [f"{i + 301:6}\t{line}" for i, line in enumerate(code)]
    seen, reference, store = shortened("\n".join(view))
    gaps = GAP.findall(seen)
    assert gaps
    for _, _, first, last in gaps:
        assert retrieve(reference, lines=f"{first}-{last}", store=store) == "\n".join(view[int(first) - 301 : int(last) - 300])
    with pytest.raises(ValueError, match="301 to 900"):
        retrieve(reference, lines="1-20", store=store)


@pytest.mark.parametrize("form", ["rows {0}-{1}", "[… 12 rows, {0}-{1}]"])
def test_rows_of_json_and_csv(form: str) -> None:
    rows = [{"id": f"ord_{i}", "total": i * 37 % 1009, "note": f"note {i * 7919 % 10007}"} for i in range(500)]
    header, *cells = ["id,total,note", *(f"{row['id']},{row['total']},{row['note']}" for row in rows)]
    for text in (json.dumps(rows), "\n".join([header, *cells])):
        seen, reference, store = shortened(text)
        gaps = [gap for gap in GAP.findall(seen) if gap[1] == "rows"]
        assert gaps
        for _, _, first, last in gaps:
            answer = retrieve(reference, lines=form.format(first, last), store=store).split("\n")
            assert len(answer) == int(last) - int(first) + 1
            assert f"ord_{int(first) - 1}" in answer[0] and f"ord_{int(last) - 1}" in answer[-1]


def test_rows_that_cannot_be_counted_are_refused_and_never_guessed() -> None:
    _, reference, store = shortened("\n".join(f"line {i * 7919 % 10007} of the file with words" for i in range(900)))
    with pytest.raises(ValueError, match="rows"):
        retrieve(reference, lines="rows 5-9", store=store)


def test_a_span_in_a_users_message_counts_only() -> None:
    log = "\n".join(f"10:{i // 60:02d}:{i % 60:02d} INFO request {i * 7919 % 10007} served by worker-{i % 7}" for i in range(400))
    messages: list[Any] = [{"role": "user", "content": f"Please look at this:\nfirst\n\n{log}\n\nthanks"}]
    seen = compress(messages, "gpt-4o", store=MemoryStore(), config=FIRM).messages[0]["content"]
    assert "[… " in seen and GAP.search(seen) is None, "a range would be looked for in the whole message"


def test_a_note_gives_no_range_of_numbers_too_large_to_compare() -> None:
    for base in (1580661436132757504, 10**20):
        seen, _, _ = shortened(json.dumps([{"id": base + (i * 37) % 1009, "t": i} for i in range(600)]))
        assert "left out" in seen and not re.search(r"id \d+ to \d+", seen)

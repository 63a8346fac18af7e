"""What other compressors of context got wrong: each mistake is a test here, through the public door.

Savings where they are easy have a file of their own, `test_easy_savings.py`.
"""

from __future__ import annotations

import json
import os
import random
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom import CompressConfig, FormatError, MemoryStore, UnknownReferenceError, compress, retrieve
from headroom.core import pipeline
from headroom.core.tokens import count
from headroom.tools.retrieve import call as answer_call
from tests.conversations import FORMATS, call_and_output
from tests.shop import WORDS, info_log, orders, phrase, python_file, shortened, turn


@pytest.fixture(autouse=True)
def forget() -> None:
    pipeline._remembered.clear()


# --- data lost or falsified -----------------------------------------------------------------------------------------------


def test_a_fatal_message_at_level_info_is_shown() -> None:
    """The level of a line does not decide alone: its words do too."""
    line = "2026-02-03T08:13:31Z INFO api-3 FATAL out of memory while sorting the ledger"
    assert line in shortened(info_log({811: line}))


def test_a_plain_line_that_was_asked_for_is_shown() -> None:
    """A line without any word of trouble stays when the question speaks of it."""
    line = "2026-02-03T08:11:02Z INFO api-1 voucher SPRING-77 granted to a partner in Turku"
    assert line in shortened(info_log({662: line}), question="Who got the voucher SPRING-77?")


def diff_of(files: int, changes: int, context: int = 3) -> tuple[str, list[str]]:
    """A diff and its changed lines: `changes` in each of `files`, with `context` lines above and below."""
    dice = random.Random(5)
    parts, changed = [], []
    for number in range(files):
        name = f"shop/{dice.choice(WORDS)}/{dice.choice(WORDS)}_{number}.py"
        rows = [f"-    {dice.choice(WORDS)}_{number} = load({k})" for k in range(changes // 2)]
        rows += [f"+    {dice.choice(WORDS)}_{number} = load_all({k}, retry=True)" for k in range(changes // 2)]
        around = [f"     {phrase(dice, 6)}" for _ in range(2 * context)]
        head = [f"diff --git a/{name} b/{name}", f"index {number:07x}..{number + 99:07x} 100644", f"--- a/{name}", f"+++ b/{name}"]
        size = 2 * context + changes // 2
        parts += [*head, f"@@ -10,{size} +10,{size} @@ def step_{number}():", *around[:context], *rows, *around[context:]]
        changed += rows
    return "\n".join(parts) + "\n", changed


@pytest.mark.parametrize(("files", "changes"), [(12, 6), (60, 6)])
def test_a_diff_names_every_file_and_never_changes_a_sign(files: int, changes: int) -> None:
    """Files do not vanish from a large diff, what is shown of it is its own, and what is not is counted."""
    diff, changed = diff_of(files, changes)
    text = shortened(diff)
    for name in re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE):
        assert name in text or name.rpartition("/")[2] in text
    shown = [line for line in text.split("\n") if line[:1] in ("+", "-") and not line.startswith(("+++", "---"))]
    assert set(shown) <= set(changed)
    missing = len(changed) - len(shown)
    told = re.search(r"([\d,]+) of ([\d,]+) changed lines? left out", text)
    assert (int(told[1].replace(",", "")) if told else 0) == missing
    assert told is None or int(told[2].replace(",", "")) == len(changed)


def test_unchanged_context_pays_before_any_changed_line() -> None:
    """A diff whose changes fit the budget keeps each of them."""
    diff, changed = diff_of(5, 8, context=12)
    text = shortened(diff)
    assert count(text) < 0.7 * count(diff)
    assert all(line in text for line in changed)


def test_a_count_beside_left_out_rows_is_explained() -> None:
    """A field that counts the rows stays as it was, and the marker accounts for every row that is not there."""
    text = shortened(json.dumps({"count": 400, "next": None, "items": orders(400)}))
    assert re.search(r"count\W{1,4}400", text)
    told = re.search(r"(\d+) of 400 rows of items left out", text)
    assert told is not None
    assert len(re.findall(r"^ord_7\d\d\d,", text, re.MULTILINE)) == 400 - int(told[1])
    assert "ord_7301" in text


def test_numbers_stay_numbers() -> None:
    """No words are put among the numbers of an array: it parses, or a marked line of its own stands where some are missing."""
    numbers = [round(random.Random(2).random() * i, 3) for i in range(1_500)]
    document = json.dumps({"unit": "ms", "samples": numbers})
    text = shortened(document)
    for piece in re.findall(r"\[[\d., \-e]+\]", text):
        json.loads(piece)
    assert not re.search(r'\d, ?"[^"]*more', text)
    if text != document:
        assert "left out" in text or json.loads(text.rpartition("\n[")[0]) == json.loads(document)


def test_a_container_keeps_its_form_around_shortened_text() -> None:
    """A JSON envelope still parses when the text in it was shortened."""
    envelope = json.dumps({"exit_code": 0, "stdout": info_log({})})
    text = shortened(envelope)
    assert len(text) < len(envelope)
    assert json.loads(text)["exit_code"] == 0
    assert "headroom_retrieve" in json.loads(text)["stdout"]


def test_long_strings_can_still_be_read() -> None:
    """The snippets of a search are what was searched for: none becomes a bare reference, and a row without one is counted."""
    dice = random.Random(3)
    hits = [{"title": phrase(dice, 3), "url": f"https://docs.example/{i}", "snippet": phrase(dice, 60)} for i in range(10)]
    text = shortened(json.dumps({"results": hits}))
    shown = [hit for hit in hits if re.search(rf"{hit['url']}\b", text)]
    told = re.search(r"(\d+) of 10 rows of results left out", text)
    assert len(shown) == 10 - (int(told[1]) if told else 0) >= 4
    assert all(hit["snippet"][:60] in text for hit in shown)


def test_what_rows_left_out_have_in_common_is_true_of_them() -> None:
    """A marker's numbers are those of the rows that are not shown."""
    rows = [f"{i},{'open' if i % 3 else 'paid'},{WORDS[i % 90]} {WORDS[i % 77]} {i * 31 % 500}" for i in range(400)]
    text = shortened("\n".join(["id,status,words", *rows]))
    missing = [row for row in rows if row not in text]
    told = re.search(r"(\d+) of 400 rows left out, status: (\d+) open, (\d+) paid", text)
    assert told is not None
    assert [int(number) for number in told.groups()] == [
        len(missing),
        sum(",open," in r for r in missing),
        sum(",paid," in r for r in missing),
    ]


def test_search_hits_keep_their_file_and_line() -> None:
    """A shown hit stands under its own path and behind its own number."""
    dice = random.Random(8)
    hits = {
        (f"src/{WORDS[i % 40]}/{WORDS[i % 40 + 40]}.py", dice.randrange(1, 900), f"    return {phrase(dice, 5)}({i})") for i in range(400)
    }
    listing = sorted(hits)
    text = shortened("\n".join(f"{path}:{line}:{code}" for path, line, code in listing))
    seen = 0
    path = ""
    for row in text.split("\n"):
        single = re.match(r"(src/\S+?\.py):(\d+):(.*)", row)
        below = re.match(r"(\d+):(.*)", row)
        if single:
            path = single[1]
        elif row.startswith("src/"):
            path = re.match(r"\S+?\.py", row)[0]  # type: ignore[index]
        number, code = (single[2], single[3]) if single else (below[1], below[2]) if below else ("", "")
        if number and "…" not in code:
            assert (path, int(number), code) in hits or (path, int(number), code.rstrip()) in hits, row
            seen += 1
    assert seen > 10


def test_numbers_are_shown_as_written() -> None:
    """Large integers keep every digit, decimals their zeros."""
    rows = ",".join(f'{{"id":{9007199254740993 + i * 2},"price":{i}.10,"rate":1e{i % 5}0}}' for i in range(40))
    text = shortened(f"[{rows}]", config=CompressConfig.preset("gentle"))
    for i in (0, 39):
        assert str(9007199254740993 + i * 2) in text
        assert f"{i}.10" in text
    assert "e+16" not in text


def test_keys_that_repeat_are_not_merged() -> None:
    """Both values of a repeated key remain."""
    rows = ",".join(f'{{"step":"first-{i}","note":"{WORDS[i]}","step":"second-{i}"}}' for i in range(30))
    text = shortened(f"[{rows}]")
    assert "first-7" in text and "second-7" in text


def test_the_indentation_of_code_stays() -> None:
    """Every shown line of a file is a line of that file, blanks in front included."""
    code = python_file()
    lines = set(code.split("\n"))
    shown = [line for line in shortened(code, call="read", arguments='{"path": "billing.py"}').split("\n") if "…" not in line]
    assert len(shown) > 60
    assert all(line in lines for line in shown if not line.startswith("["))


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_instructions_and_own_words_are_never_rewritten(role: str) -> None:
    """Policies, and JSON that stands in them or in the assistant's words, leave as they came."""
    policy = "Answer politely.\n" * 300 + json.dumps(orders(200), indent=2)
    messages = [{"role": role, "content": policy}, *turn(info_log({}))]
    result = compress(messages, store=MemoryStore(), config=CompressConfig.preset("firm"))
    assert result.messages[0] is messages[0]
    assert result.tokens_saved > 0


def test_status_images_and_unknown_fields_survive() -> None:
    """Errors stay errors, pictures stay pictures; names, ids, artifacts and roles of tomorrow are carried along."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo" * 400}}
    block = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "is_error": True,
        "status": "error",
        "content": [{"type": "text", "text": info_log({})}, image],
    }
    messages: list[Any] = [
        {
            "role": "assistant",
            "id": "m1",
            "usage": {"input": 5},
            "content": [{"type": "tool_use", "id": "t1", "name": "logs", "input": {}}],
        },
        {"role": "user", "id": "m2", "name": "Ada", "artifact": {"rows": [1, 2]}, "additional_kwargs": {"x": 1}, "content": [block]},
        {"role": "critic", "content": "well done", "mood": "calm"},
    ]
    result = compress(messages, store=MemoryStore())
    (out,) = result.messages[1]["content"]
    assert result.tokens_saved > 0
    assert out["content"][1] is image
    assert {**out, "content": 0} == {**block, "content": 0}
    assert {**result.messages[1], "content": 0} == {**messages[1], "content": 0}
    assert result.messages[0] is messages[0] and result.messages[2] is messages[2]


def test_a_failure_of_ours_does_not_look_like_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside is told, and the counts are those of what was sent."""

    class Broken:
        kind = "broken"

        def claims(self, sample: object) -> bool:
            raise ZeroDivisionError

        compress = claims

    monkeypatch.setattr("headroom.core.router.candidates", lambda sample: (Broken(),))
    result = compress(turn(info_log({})), store=MemoryStore())
    assert result.tokens_before == result.tokens_after > 10_000
    assert result.transforms_applied == ["failed:broken:ZeroDivisionError: "]


def test_rows_between_carriage_returns_are_no_progress_bar() -> None:
    """Text may use bare carriage returns as line ends: it is not thrown away as something that was written over."""
    rows = [f"{i},{WORDS[i % 90]},{i * 13 % 977}" for i in range(300)]
    text = "id,name,amount\n" + "\r".join(rows) + "\n"
    kept = shortened(text, lossless=True)
    assert all(row in kept for row in rows)
    result = compress(turn(text), store=MemoryStore())
    assert "overwritten" not in result.messages[-1]["content"]


NEWLINED = {
    "log": info_log({}),
    "text": "".join(f"{phrase(random.Random(i), 7)} {i}\n" for i in range(1_500)),
    "keys": "".join(f"{'  ' * (i % 4)}{WORDS[i % 90]}_{i}: {phrase(random.Random(i), 3)}\n" for i in range(1_500)),
}


@pytest.mark.parametrize("text", NEWLINED.values(), ids=NEWLINED)
def test_a_newline_at_the_end_begins_no_line(text: str) -> None:
    """Counts and ranges in markers are those that a person would give."""
    after = shortened(text)
    assert re.search(r" of 1,500 lines left out", after)
    assert "1501" not in after and "1,501" not in after


# --- markers that do not resolve ------------------------------------------------------------------------------------------


OUTPUTS: dict[str, Callable[[], str]] = {
    "log": lambda: info_log({}),
    "records": lambda: json.dumps(orders(400)),
    "code": python_file,
    "diff": lambda: diff_of(60, 6)[0],
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_reference_resolves_as_it_is_written(name: str) -> None:
    """What stands behind `ref=` is what the tool takes, and what comes back is the original, byte for byte."""
    text, store = OUTPUTS[name](), MemoryStore()
    result = compress(turn(text), store=store)
    written = re.search(r"headroom_retrieve ref=([\w-]+)\]", result.messages[-1]["content"])
    assert written is not None
    for reference in (written[1], f"ref={written[1]}", written[0], result.references[0]):
        assert retrieve(reference, store=store) == text
    assert answer_call("headroom_retrieve", {"ref": written[1]}, store=store, page_tokens=10**6) == text


def test_a_reference_resolves_in_another_process() -> None:
    """The store is a file that outlives the program and serves its neighbours."""
    text = info_log({})
    result = compress(turn(text))
    program = "import sys; from headroom import retrieve; sys.stdout.buffer.write(retrieve(sys.argv[1]).encode())"
    done = subprocess.run([sys.executable, "-c", program, result.references[0]], capture_output=True, check=True, env=dict(os.environ))
    assert done.stdout.decode() == text


def test_whoever_uses_the_library_gets_all_that_a_marker_needs() -> None:
    """References, the tool's definition and a public way back come with the result."""
    result = compress(turn(info_log({})))
    assert len(result.references) == 1
    assert retrieve(result.references[0]).startswith("2026-02-03T08:00:00Z")
    for dialect in ("openai", "anthropic", "responses"):
        assert "headroom_retrieve" in json.dumps(result.tools(dialect))


def test_the_tool_is_the_same_whether_or_not_it_is_needed() -> None:
    """A list of tools that changes costs the provider's cache."""
    with_marker, without = compress(turn(info_log({}))), compress(turn("ok"))
    for dialect in ("openai", "anthropic", "responses"):
        assert with_marker.tools(dialect) == without.tools(dialect)


@pytest.mark.parametrize("dialect", FORMATS)
def test_what_was_retrieved_is_not_shortened_again(dialect: str) -> None:
    """Otherwise the agent would ask for ever."""
    text = info_log({})
    messages = call_and_output(dialect, 1, "logs", "{}", [text], "")
    first = compress(messages)
    again = messages + call_and_output(dialect, 2, "headroom_retrieve", json.dumps({"ref": first.references[0]}), [text], "")
    assert compress(again).messages[-len(messages) :] == again[-len(messages) :]


def test_a_dead_reference_is_answered_once_and_for_all() -> None:
    """The model is told to run the tool again and not to repeat the reference; a program gets an exception of its own."""
    with pytest.raises(UnknownReferenceError):
        retrieve("aaaaaaaaaa")
    answer = answer_call("headroom_retrieve", {"ref": "aaaaaaaaaa"})
    assert "Do not ask for it again" in answer and "run the tool" in answer


def test_words_of_a_marker_switch_nothing_off() -> None:
    """A text that quotes a marker, even a real one, is shortened like any other."""
    real = re.search(r"\[[^\[\]]*headroom_retrieve[^\]]*\]", shortened(info_log({})))
    assert real is not None
    for words in (
        real[0],
        "[9 rows left out; headroom_retrieve ref=aaaaaaaaaa-aaa]",
        "[40 lines as CSV; check=abc]",
        "<<ccr:0123456789ab>>",
    ):
        text = info_log({3: words, 700: words, 1_499: words})
        assert count(shortened(text)) < 0.3 * count(text)


# --- prompt cache busted --------------------------------------------------------------------------------------------------


def long_talk(turns: int = 14) -> list[Any]:
    dice = random.Random(31)
    messages: list[Any] = [{"role": "system", "content": "You look after a shop."}, {"role": "user", "content": "Why do refunds fail?"}]
    outputs = [info_log({700: "ERROR refund refused"}), json.dumps(orders(120)), python_file(12), diff_of(12, 6)[0], phrase(dice, 900)]
    for number in range(turns):
        arguments = json.dumps({"part": number})
        messages += call_and_output(
            "openai", number, dice.choice(["read", "logs", "list"]), arguments, [outputs[number % 5]], phrase(dice, 6)
        )
        if number % 4 == 3:
            messages.append({"role": "user", "content": f"And what of the {phrase(dice, 3)}?"})
    return messages


def test_a_sent_message_keeps_its_bytes_as_the_talk_goes_on() -> None:
    """No window slides, no budget shrinks as the context fills: each turn begins with the turn before."""
    talk = long_talk()
    whole = compress(talk, store=MemoryStore())
    assert whole.tokens_saved > 0
    for length in range(1, len(talk) + 1):
        pipeline._remembered.clear()
        assert compress(talk[:length], store=MemoryStore()).messages == whole.messages[:length]


def test_the_newest_question_changes_nothing_before_it() -> None:
    """Relevance is judged when the output arrives, and never again."""
    talk = long_talk(5)
    answers = set()
    for question in ("Where is voucher SPRING-77?", "errors?", "Thank you.", "ledger " * 2_000):
        result = compress([*talk, {"role": "user", "content": question}], store=MemoryStore())
        answers.add(json.dumps(result.messages[: len(talk)]))
    assert len(answers) == 1


def test_neither_model_nor_memory_nor_time_changes_a_byte() -> None:
    """Another model, a warm cache, an older call, a later hour: the same text."""
    talk = long_talk(5)
    answers = set()
    for model in ("gpt-4o", "claude-sonnet-4-5-20250929", "some/local-model"):
        for warm in (False, True):
            if not warm:
                pipeline._remembered.clear()
            answers.add(json.dumps(compress(talk, model=model, store=MemoryStore()).messages))
    with pytest.MonkeyPatch.context() as patch:
        pipeline._remembered.clear()
        patch.setattr(time, "time", lambda: 4e9)
        answers.add(json.dumps(compress(talk, store=MemoryStore()).messages))
    assert len(answers) == 1


def test_a_restart_under_another_hash_seed_changes_no_byte(tmp_path: Path) -> None:
    """Two workers give one prefix."""
    program = "import sys, json; from headroom import compress; print(json.dumps(compress(json.load(sys.stdin)).messages))"
    talk = json.dumps(long_talk(5))
    answers = set()
    for seed in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "HEADROOM_HOME": str(tmp_path / seed)}
        answers.add(
            subprocess.run([sys.executable, "-c", program], input=talk, capture_output=True, text=True, check=True, env=environment).stdout
        )
    assert len(answers) == 1


# --- slow or fragile ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "[" * 6_000 + "; headroom_retrieve ref=" * 250,
        "[… 9 lines left out; headroom_retrieve ref=" * 400,
        "<<ccr:" * 2_000,
        "\n" * 12_000,
        ("\n" * 40 + " ") * 300,
        "[1 of 2 rows" * 1_000,
    ],
    ids=["brackets", "markers", "others' markers", "blank lines", "broken blank lines", "notes"],
)
def test_no_text_of_12_kb_takes_long(text: str) -> None:
    """Marks and blanks without end cost no more than other text."""
    start = time.perf_counter()
    compress(turn(text), store=MemoryStore())
    assert time.perf_counter() - start < 2.0


def test_five_thousand_rows_are_quick() -> None:
    """A second is generous: it takes a tenth of that."""
    text = json.dumps(orders(5_000))
    shortened(json.dumps(orders(50)))
    start = time.perf_counter()
    assert len(shortened(text)) < len(text) / 10
    assert time.perf_counter() - start < 2.0


def test_malformed_requests_harm_nobody_else() -> None:
    """Each is refused by name, and the next good one is served as ever."""
    good = compress(turn(info_log({})), store=MemoryStore()).messages
    for _ in range(5):
        with pytest.raises(FormatError, match=r"messages\[1\]"):
            compress([{"role": "user", "content": "hi"}, "not a message"], store=MemoryStore())  # type: ignore[list-item]
    pipeline._remembered.clear()
    assert compress(turn(info_log({})), store=MemoryStore()).messages == good


def test_tenants_do_not_share_what_is_remembered() -> None:
    """The same text of two tenants is two originals, and neither reads the other's."""
    store = MemoryStore()
    one, two = (compress(turn(info_log({})), store=store, namespace=name) for name in ("tenant-1", "tenant-2"))
    assert set(one.references).isdisjoint(two.references)
    with pytest.raises(UnknownReferenceError):
        retrieve(one.references[0], store=store, namespace="tenant-2")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_originals_are_not_for_everyone(store_of_its_own: Path) -> None:
    """The file of originals belongs to its user alone."""
    compress(turn(info_log({})))
    for path in store_of_its_own.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_the_ratio_has_one_direction_and_counts_are_taken_before() -> None:
    """0.0 is nothing saved, and what came is counted as it came."""
    messages = turn(info_log({}))
    result = compress(messages, store=MemoryStore())
    texts = [message["content"] or "" for message in messages] + ["run", "{}"]
    assert result.tokens_before == sum(map(count, texts))
    assert result.compression_ratio == pytest.approx(1 - result.tokens_after / result.tokens_before)
    assert compress(turn("ok"), store=MemoryStore()).compression_ratio == 0.0

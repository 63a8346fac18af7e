"""Re-reads: a pointer stands only for lines that the model can still see, and says which they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom import MemoryStore, compress, retrieve
from headroom.core import pipeline
from headroom.core.rereads import LEAST_LINES, Folded, VisibleLines
from tests.conversations import FORMATS, OUTPUTS, call_and_output

MODEL = "gpt-4o"
CODE = [f"    total_{i} = price_{i * 7 % 13} * amount_{i} + shipping_of(order_{i})" for i in range(40)]


def numbered(lines: list[str], first: int = 1, form: str = "{:6}\t{}") -> str:
    return "\n".join(form.format(first + i, line) for i, line in enumerate(lines))


def folded(earlier: str, text: str, *, exact: bool = False, original: str = "") -> Folded | None:
    visible = VisibleLines(exact=exact)
    visible.add(earlier, "the earlier original")
    return visible.fold(text, original or "another original")


def test_a_run_that_is_visible_already_becomes_a_pointer_that_quotes_its_ends() -> None:
    text = "\n".join(["a new first line", *CODE, "a new last line"])
    fold = folded("\n".join(CODE), text)
    assert fold is not None and fold.lines == len(CODE)
    assert (
        fold.text
        == f"a new first line\n[… 40 lines shown earlier, from {CODE[0].strip()[:36]!r} to {CODE[-1].strip()[:36]!r}]\na new last line"
    )


@pytest.mark.parametrize("form", ["{:6}\t{}", "{}: {}", "{}:{}", "{:4}|{}", "{:>5}→{}"])
def test_views_with_and_without_line_numbers_have_the_same_lines(form: str) -> None:
    plain, view = "\n".join(CODE), numbered(CODE, 120, form)
    if form == "{}: {}":
        plain = "\n".join(" " + line for line in CODE)
    for earlier, text in ((plain, view), (view, plain), (numbered(CODE, 7, form), view)):
        fold = folded(earlier, text)
        assert fold is not None and fold.lines == len(CODE)


def test_a_run_that_is_worth_a_pointer_may_start_inside_of_one_that_is_not() -> None:
    visible = VisibleLines()
    visible.add("\n".join(["x = shared_by_two(1)", *CODE[:2], *(f"padding of the first {i}" for i in range(20))]), "first")
    visible.add("\n".join(["something else here", *CODE[1:]]), "second")
    fold = visible.fold("\n".join(["x = shared_by_two(1)", *CODE]), "third")
    assert fold is not None and fold.lines == len(CODE) - 1


def test_the_numbers_of_the_new_view_are_not_lost() -> None:
    fold = folded(numbered(CODE, 1), numbered(CODE, 101))
    assert fold is not None and "here 101-140," in fold.text


def test_a_run_ends_where_the_numbers_stop_counting_on() -> None:
    text = numbered(CODE[:20], 1) + "\n" + numbered(CODE[20:], 300)
    fold = folded("\n".join(CODE), text)
    assert fold is not None and fold.text.count("lines shown earlier") == 2 and "here 300-319," in fold.text


@pytest.mark.parametrize(
    "view",
    [
        lambda i, salt: f"{i * 7 + salt:7} {CODE[i]}",  # amounts
        lambda i, salt: f"{10 + salt}:{i % 60:02d}:07 INFO nightly job, step number {i} of forty",  # times
        lambda i, salt: f"{9000 - i * i - salt * 3}|{CODE[i]}",  # ids
        lambda i, salt: f"{salt} {CODE[i]}",  # one and the same number
    ],
)
def test_amounts_times_and_ids_are_no_margin(view: Any) -> None:
    earlier, text = ("\n".join(view(i, salt) for i in range(40)) for salt in (1, 2))
    assert folded(earlier, text) is None
    assert folded(earlier, earlier) is not None


def test_where_something_is_left_out_of_both_a_run_does_not_go_on_over_it() -> None:
    digest = "\n".join([*CODE[:15], "[… 20 lines, 16-35]", *CODE[15:30]])
    fold = folded(digest, digest, original="another original, whose lines 16-35 are others")
    assert fold is not None and fold.lines == 30 and "\n[… 20 lines, 16-35]\n" in fold.text
    cut = "\n".join([*CODE[:15], "start of a long line[… 3,000 characters]its end", *CODE[15:30]])
    assert "3,000 characters" in getattr(folded(cut, cut), "text", "")


def test_it_goes_on_where_both_are_digests_of_the_same_original() -> None:
    digest = "\n".join([*CODE[:15], "[… 20 lines, 16-35]", *CODE[15:30]])
    fold = folded(digest, digest, original="the earlier original")
    assert fold is not None and fold.lines == 31 and "\n" not in fold.text


@pytest.mark.parametrize(
    "text", ["", "short", "\n" * 5_000, "x\n" * 2_000, "\n".join(CODE[: LEAST_LINES - 1]), "{}\n" * 900, "[… 9 lines]\n" * 90]
)
def test_what_is_short_or_stands_everywhere_is_shown_again(text: str) -> None:
    assert folded(text, text) is None


def test_trailing_blanks_make_no_other_line() -> None:
    fold = folded("\n".join(CODE), "\n".join(line + "  " for line in CODE))
    assert fold is not None and fold.lines == len(CODE)


def test_exactly_means_margins_and_blanks_too() -> None:
    for earlier, text in ((numbered(CODE), "\n".join(CODE)), (numbered(CODE, 1), numbered(CODE, 9)), ("\n".join(CODE), " \n".join(CODE))):
        assert folded(earlier, text, exact=True) is None
    assert folded(numbered(CODE), numbered(CODE), exact=True) is not None


@given(st.lists(st.sampled_from([*CODE[:6], "", "}", "word"]), max_size=120), st.data())
def test_every_pointer_can_be_followed_back(lines: list[str], data: st.DataObject) -> None:
    earlier = data.draw(st.permutations(CODE[:12])) + lines
    start = data.draw(st.integers(0, len(earlier)))
    text = ["new", *earlier[start:], *data.draw(st.lists(st.sampled_from(CODE), max_size=20))]
    fold = folded("\n".join(earlier), "\n".join(text))
    if fold is not None:
        counts = [int(line.split()[1]) if line.startswith("[… ") else 1 for line in fold.text.split("\n")]
        assert sum(counts) == len(text)
        at = 0
        for line, count in zip(fold.text.split("\n"), counts, strict=True):
            run = text[at : at + count]
            if line.startswith("[… "):
                assert any(earlier[i : i + count] == run for i in range(len(earlier) - count + 1)), "the very lines stand there, in order"
            else:
                assert run == [line]
            at += count


@given(OUTPUTS, OUTPUTS)
def test_no_text_is_too_odd(earlier: str, text: str) -> None:
    fold = folded(earlier * 3, text + "\n" + earlier * 2)
    assert fold is None or fold.lines >= LEAST_LINES


def test_repetitive_texts_take_linear_time() -> None:
    earlier = "\n".join(["the very same line again"] * 1_000)
    text = "\n".join((["the very same line again"] * 999 + ["another one"]) * 100)
    assert folded(earlier, text) is not None


# --- in a conversation ----------------------------------------------------------------------------------------------------


def prose(n: int, salt: int) -> str:
    return "\n".join(f"Paragraph {i} of {salt}: the {i * 7 % 97}th order of customer {i * 13 % 89} was shipped late." for i in range(n))


@pytest.mark.parametrize("dialect", FORMATS)
def test_a_reread_points_to_lines_that_an_earlier_output_shows_as_it_left(dialect: str) -> None:
    pipeline._remembered.clear()
    file = "\n".join(CODE)
    messages = call_and_output(dialect, 1, "read", '{"path": "a.py"}', [file], "")
    messages += call_and_output(dialect, 2, "cat", '{"path": "./a.py"}', [file + "\nnew_line = 1"], "")
    store = MemoryStore()
    result = compress(messages, MODEL, store=store)
    first, second = [report for report in result.blocks if report.kind]
    assert "lines shown earlier" in second.after and "new_line = 1" in second.after
    assert not second.lossy and retrieve(second.reference or "", store=store) == second.before
    shown = {line.strip() for line in first.after.split("\n")}
    for line in second.before.split("\n"):
        assert line.strip() in shown or line in second.after


def test_what_an_earlier_output_left_out_is_not_pointed_to() -> None:
    pipeline._remembered.clear()
    long = prose(1_200, 1)
    hidden_from, hidden_to = 500, 524
    messages = call_and_output("openai", 1, "read", '{"path": "a"}', [long], "")
    first = compress(messages, MODEL, store=MemoryStore()).messages[1]["content"]
    excerpt = [line for line in long.split("\n")[hidden_from:hidden_to] if line not in first]
    assert len(excerpt) > 9, "the digest hides most of them"
    messages += call_and_output("openai", 2, "read", '{"path": "a", "lines": "500-524"}', ["\n".join(excerpt)], "")
    second = compress(messages, MODEL, store=MemoryStore()).messages[3]["content"]
    assert "shown earlier" not in second and all(line in second for line in excerpt)


def test_an_edits_old_text_stays_visible_somewhere() -> None:
    """Read a file, edit it, read it again: whatever the next edit quotes stands verbatim in one of the outputs."""
    pipeline._remembered.clear()
    before, after = CODE.copy(), CODE.copy()
    after[17] = "    total_17 = 0  # free of charge"
    messages: list[Any] = []
    for number, lines in enumerate((before, after, after)):
        messages += call_and_output("openai", number, "read", json.dumps({"path": "a.py", "n": number}), ["\n".join(lines)], "")
    outputs = [message["content"] for message in compress(messages, MODEL, store=MemoryStore()).messages if message["role"] == "tool"]
    for line in {*before, *after}:
        assert any(line in output.split("\n") for output in outputs)


def test_in_lossless_mode_nothing_is_only_nearly_the_same() -> None:
    pipeline._remembered.clear()
    table = [f"{i * 7 % 31:>4} {line}" for i, line in enumerate(CODE)]
    messages = call_and_output("openai", 1, "read", '{"v": 1}', ["\n".join(table)], "")
    messages += call_and_output("openai", 2, "read", '{"v": 2}', ["  \n".join(table)], "")
    result = compress(messages, MODEL, store=MemoryStore(), lossless=True)
    assert "shown earlier" not in result.messages[3]["content"]


LISTING = "total 44\n" + "\n".join(
    f"-rw-r--r-- 1 root root {i * 977 % 10_007:6d} Jan {i % 28 + 1:2d} 10:{i:02d} module_{i}.py" for i in range(20)
)


def test_lines_that_were_shown_in_another_writing_are_pointed_to() -> None:
    screen = f"# ls -la\n{LISTING}\n# cat run.sh\nset -e\npython -m build --wheel\npip install dist/*.whl\npytest -x tests\n# "
    first, second = (call_and_output("openai", i, "run", f"{i}", [text], "") for i, text in enumerate((LISTING, screen)))
    result = compress([*first, *second], MODEL, store=MemoryStore())
    assert result.blocks[0].changed and not result.blocks[0].lossy
    assert LISTING.split("\n")[5] not in result.blocks[0].after
    assert "[… 20 lines shown earlier, from '-rw-r--r-- 1 root root" in result.blocks[1].after


def test_what_was_left_out_of_an_output_is_not_pointed_to() -> None:
    long = "\n".join(f"-rw-r--r-- 1 root root {i * 977 % 10_007:6d} Jan {i % 28 + 1:2d} 10:{i % 60:02d} module_{i}.py" for i in range(900))
    part = "\n".join(["# ls -la", *long.split("\n")[440:460], "# "])
    first, second = (call_and_output("openai", i, "run", f"{i}", [text], "") for i, text in enumerate((long, part)))
    result = compress([*first, *second], MODEL, store=MemoryStore())
    assert result.blocks[0].lossy
    hidden = [line for line in part.split("\n") if line.split()[-1] not in result.blocks[0].after]
    assert hidden and all(line.split()[-1] in result.blocks[1].after for line in hidden)

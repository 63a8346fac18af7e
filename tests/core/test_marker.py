"""The marker: one line that any process recognises by its checksum, and that no look-alike can forge by accident."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core import marker
from headroom.core.marker import Marker
from headroom.core.store.base import reference_for

TEXTS = st.text(st.characters(codec=None, categories=None), max_size=80)
REFERENCE = reference_for("the original", "default")
FORMS = [(True, True), (False, True), (False, False)]  # lossy, named


def sealed(before: str, note: str, after: str, *, lossy: bool = True, named: bool = True, reference: str = REFERENCE) -> str:
    line = marker.write(note, reference, lossy, named=named)
    return marker.seal(f"{before}\n{line}{after}", reference, named=named)


def test_the_three_forms_read_as_documented() -> None:
    assert re.search(
        rf"\[412 of 500 rows left out; headroom_retrieve ref={REFERENCE}-[a-z2-7]{{3}}\]", sealed("x", "412 of 500 rows left out", "")
    )
    assert re.search(
        rf"\[500 rows as CSV; original: headroom_retrieve ref={REFERENCE}-[a-z2-7]{{3}}\]", sealed("x", "500 rows as CSV", "", lossy=False)
    )
    assert re.search(r"\[500 rows as CSV; check=[a-z2-7]{3}\]", sealed("x", "500 rows as CSV", "", lossy=False, named=False))


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(FORMS))
def test_what_was_sealed_is_found(before: str, note: str, after: str, form: tuple[bool, bool]) -> None:
    lossy, named = form
    found = marker.find(sealed(before, note, after, lossy=lossy, named=named))
    assert found == Marker(REFERENCE if named else None, lossy)


@given(TEXTS, TEXTS, st.sampled_from(FORMS))
def test_the_text_around_the_marker_stays_to_the_letter(before: str, after: str, form: tuple[bool, bool]) -> None:
    lossy, named = form
    text = sealed(before, "note", after, lossy=lossy, named=named)
    assert text.startswith(before + "\n[note; ") and text.endswith("]" + after)


@pytest.mark.parametrize("after", [" ; check=??? ", "\n[x; check=???]", "; headroom_retrieve ref=aaaaaaaaaa-???]", "-???]"])
@pytest.mark.parametrize("form", FORMS)
def test_words_of_a_marker_behind_it_do_not_draw_the_checksum(after: str, form: tuple[bool, bool]) -> None:
    lossy, named = form
    text = sealed("shown", "note", after, lossy=lossy, named=named)
    assert text.endswith("]" + after) and marker.find(text) == Marker(REFERENCE if named else None, lossy)


@pytest.mark.parametrize(
    "text",
    [
        "[412 of 500 rows left out; headroom_retrieve ref=k3v9x2m7qa-f3k]",
        "[500 rows as CSV; check=abc]",
        "; headroom_retrieve ref=",
        "; check=",
        "[; check=]",
        "[x; original: headroom_retrieve ref=k3v9x2m7qa-f3k] and more",
        "",
    ],
)
def test_what_merely_looks_like_a_marker_has_no_power(text: str) -> None:
    assert marker.find(text) is None


def test_alterations_are_noticed_in_practice() -> None:
    text = sealed("line " * 50, "note", "")
    altered = [text[:at] + "#" + text[at + 1 :] for at in range(len(text))]
    assert sum(marker.find(one) is not None for one in altered) <= 1  # one of 32,768 alterations passes, and is left as it is


@given(TEXTS, TEXTS, st.booleans(), st.sampled_from([16, 26, 52]))
def test_a_longer_reference_is_written_in_and_verifies(before: str, after: str, lossy: bool, length: int) -> None:
    longer = reference_for("the original", "default", length)
    text = marker.readdress(sealed(before, "note", after, lossy=lossy), REFERENCE, longer)
    assert marker.find(text) == Marker(longer, lossy)
    assert text.startswith(before) and text.endswith("]" + after)


def test_a_note_becomes_one_line() -> None:
    assert marker.write("two\n lines\tof  words", REFERENCE, True).startswith("[two lines of words; ")


def test_many_look_alikes_cost_only_a_few_checksums() -> None:
    text = sealed("shown", "note", "") + " [x; check=abc]" * 100_000
    assert marker.find(text) is None


def test_a_marker_is_found_behind_a_few_look_alikes() -> None:
    text = sealed("shown", "note", "; check=abc] and ; check=abd]")
    assert marker.find(text) == Marker(REFERENCE, True)


def test_in_a_short_text_even_behind_many_look_alikes() -> None:
    text = sealed("shown", "note", " [x; check=abc]" * 40)
    assert marker.find(text) == Marker(REFERENCE, True)

"""The table of kinds: one name each, most specific first, and shortcuts that change no answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headroom.core import router
from headroom.core.detect import Sample
from tests.conversations import OUTPUTS

SHAPES = (
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n",
    "words before\n" * 40 + "--- a/x\n+++ b/x\n@@@ -1,2 -1,2 +1,2 @@@\n- a\n++b\n",
    "[('a', 1, None), ('b', 2, None)]",
    "Row(id=1, name='a')\nRow(id=2, name='b')",
    "<!DOCTYPE html><html><body><p>hello</p></body></html>",
    "  \n{'a': 1, 'b': (2, 3)}",
)


@given(st.one_of(OUTPUTS, st.sampled_from(SHAPES)))
def test_a_kind_that_is_not_even_asked_would_not_have_claimed(text: str) -> None:
    sample = Sample(text)
    asked = {compressor.kind for compressor in router.candidates(sample)}
    for compressor in router.default_compressors():
        assert compressor.kind in asked or not compressor.claims(sample)


def test_every_text_has_a_kind() -> None:
    assert router.route_kind("") == router.KINDS[-1] == "text"


def test_the_table_loads_each_kind_once() -> None:
    assert [compressor.kind for compressor in router.default_compressors()] == list(router.KINDS)
    assert router.compressor_of("logs") is router.compressor_of("logs")

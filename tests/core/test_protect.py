"""May this text be touched? Every reason why not, and that nothing else is one."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import CompressConfig
from headroom.core import marker, protect
from headroom.core.protect import protection_of
from headroom.core.store.base import reference_for
from headroom.core.types import ContentBlock, ToolCall

LONG = "some words of a long output\n" * 400
CONFIG = CompressConfig()


def block(text: str = LONG, role: str = "tool", **fields: Any) -> ContentBlock:
    return ContentBlock((0, "content"), text, role, **fields)


def reason(one: ContentBlock, call: ToolCall | None = None, bias: float = 1.0, config: CompressConfig = CONFIG) -> str:
    protection = protection_of(one, call, bias, config)
    return protection.reason if protection else ""


@pytest.mark.parametrize("bias", [0.0, 0.1, 1.0, 50.0])
@pytest.mark.parametrize("fields", [{}, {"is_error": True}, {"role": "user"}, {"tool_name": "read"}])
def test_a_long_text_may_be_touched_whatever_its_bias_or_success(fields: Any, bias: float) -> None:
    assert reason(block(**fields), ToolCall("1", "read", "{}"), bias) == ""


def test_small_texts_are_left_alone_and_the_users_from_a_greater_size_on() -> None:
    assert reason(block("x" * 590)) == protect.SMALL and reason(block("x " * 310)) == ""
    assert reason(block("x " * 1_700, role="user")) == protect.SMALL and reason(block("x " * 1_900, role="user")) == ""
    assert reason(block("x" * 200), config=CompressConfig(min_tokens=10)) == ""


@pytest.mark.parametrize(
    "name", ["headroom_retrieve", "mcp__headroom__headroom_retrieve", "headroom.headroom_retrieve", "x/headroom_retrieve"]
)
def test_what_was_retrieved_is_never_compressed_again(name: str) -> None:
    assert reason(block(), ToolCall("1", name, "{}")) == protect.RETRIEVED
    assert reason(block(tool_name=name)) == protect.RETRIEVED, "also where the message alone names the tool"


@pytest.mark.parametrize("name", ["my_headroom_retrieve_log", "headroom_retrieve2", "retrieve", ""])
def test_other_tools_are_no_retrieval(name: str) -> None:
    assert reason(block(), ToolCall("1", name, "{}")) == ""


@pytest.mark.parametrize("lossy", [True, False])
def test_our_own_results_are_known_by_their_marker(lossy: bool) -> None:
    reference = reference_for(LONG, "default")
    ours = marker.seal(f"{LONG}\n{marker.write('note', reference, lossy)}", reference)
    protection = protection_of(block(ours), None, 1.0, CONFIG)
    assert protection is not None and protection.reason == protect.OURS
    assert protection.marker == marker.Marker(reference, lossy)


def test_the_words_of_a_marker_protect_nothing() -> None:
    assert reason(block(LONG + "[412 of 500 rows left out; headroom_retrieve ref=k3v9x2m7qa-f3k]")) == ""


def test_an_infinite_bias_keeps_whole() -> None:
    assert reason(block(), bias=float("inf")) == protect.BIASED

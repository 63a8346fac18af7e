"""What LiteLLM's hooks hand over, read."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from litellm.types.utils import CallTypes

from headroom.integrations.litellm_callback import calls
from headroom.tools import definition
from tests.integrations.litellm.talk import LITELLMS_OWN_WARNINGS, TOOLS

pytestmark = LITELLMS_OWN_WARNINGS


def test_the_newest_stay_and_asking_keeps_young() -> None:
    newest = calls.Newest[int](2)
    newest.put("a", 1)
    newest.put("b", 2)
    assert newest.get("a") == 1
    newest.put("c", 3)
    assert [newest.get(name) for name in ("a", "b", "c", None, 7)] == [1, None, 3, None, None]


@pytest.mark.parametrize(
    ("call_type", "dialect"),
    [
        (CallTypes.acompletion, "openai"),
        ("completion", "openai"),
        (CallTypes.anthropic_messages, "anthropic"),
        (CallTypes.aresponses, "responses"),
        (CallTypes.aembedding, None),
        (None, None),
    ],
)
def test_the_dialect_is_the_call_types(call_type: Any, dialect: str | None) -> None:
    assert calls.dialect_of(call_type) == dialect


@pytest.mark.parametrize("dialect", TOOLS)
def test_the_tool_is_the_last_one_and_known_again_in_a_copy(dialect: str) -> None:
    tools = calls.with_retrieval(TOOLS[dialect], dialect)
    assert json.loads(json.dumps(tools)) == [*TOOLS[dialect], definition(dialect)]
    assert calls.is_offered_here(copy.deepcopy(tools))
    assert calls.offers_retrieval(tools)
    assert calls.without_retrieval(tools) == TOOLS[dialect]
    assert not calls.is_offered_here([*TOOLS[dialect], definition(dialect)])
    assert not calls.offers_retrieval(TOOLS[dialect])


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        (None, False),
        ([], False),
        ("tools", False),
        ([{"googleSearch": {}}], False),
        ([{"type": "web_search_20250305", "name": "web_search"}], False),
        ([{"type": "mcp", "name": "remote"}], False),
        *((tools, True) for tools in TOOLS.values()),
    ],
)
def test_whether_the_model_may_call_functions(tools: Any, expected: bool) -> None:
    assert calls.has_callable_tools(tools) is expected


@pytest.mark.parametrize(
    ("kwargs", "tenant"),
    [
        ({}, ""),
        ({"metadata": None}, ""),
        ({"metadata": {"user_api_key_hash": "h"}}, "h"),
        ({"litellm_metadata": {"user_api_key_hash": "h"}, "metadata": {"user_id": "u"}}, "h"),
    ],
)
def test_the_tenant_is_the_key_of_the_proxy(kwargs: dict[str, Any], tenant: str) -> None:
    assert calls.tenant_of(kwargs) == tenant

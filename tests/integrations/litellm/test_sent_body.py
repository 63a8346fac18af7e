"""Bodies in the shapes of many providers: texts are replaced where they stand, and only there."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

import litellm
import pytest

from headroom.integrations.litellm_callback import HeadroomCallback
from headroom.integrations.litellm_callback.sent_body import can_change, put_texts
from tests.integrations.litellm.talk import LITELLMS_OWN_WARNINGS, ORDERS, TOOLS, Model, conversation

pytestmark = LITELLMS_OWN_WARNINGS


@dataclass
class Text:
    before: str
    after: str


def test_a_text_is_replaced_wherever_a_provider_keeps_it() -> None:
    body = {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "long"}]}]}],
        "contents": [{"role": "user", "parts": [{"function_response": {"name": "f", "response": {"content": "long"}}}]}],
        "input": "long",
        "model": "long",
    }
    assert put_texts(body, [Text("long", "short")]) == 3
    assert json.dumps(body).count("long") == 1
    assert body["model"] == "long"


@pytest.mark.parametrize(
    "sacred",
    [
        {"role": "assistant", "content": "long"},
        {"role": "system", "content": "long"},
        {"role": "developer", "content": [{"type": "text", "text": "long"}]},
        {"role": "model", "parts": [{"functionCall": {"args": {"text": "long"}}}]},
        {"type": "function_call", "arguments": "long"},
        {"type": "tool_use", "input": {"text": "long"}},
    ],
)
def test_the_assistants_words_and_instructions_are_never_replaced(sacred: dict[str, Any]) -> None:
    body = {"messages": [sacred, {"role": "tool", "content": "long"}]}
    assert put_texts(body, [Text("long", "short")]) == 1
    assert body["messages"] == [sacred, {"role": "tool", "content": "short"}]


def test_only_whole_texts_are_replaced() -> None:
    body = {"messages": [{"role": "tool", "content": "a long text"}]}
    assert put_texts(body, [Text("long", "short")]) == 0


def test_what_came_twice_and_leaves_in_two_forms_is_put_in_order() -> None:
    texts = [Text("long", "short"), Text("other", "other"), Text("long", "as above")]
    body = {"messages": [{"content": "long"}, {"content": "other"}, {"content": "long"}]}
    assert put_texts(body, texts) == 2
    assert [message["content"] for message in body["messages"]] == ["short", "other", "as above"]


def test_what_came_twice_and_is_sent_once_is_left_alone() -> None:
    body = {"messages": [{"content": "long"}]}
    assert put_texts(body, [Text("long", "short"), Text("long", "as above")]) == 0
    assert body["messages"] == [{"content": "long"}]


def test_what_the_body_shares_with_the_caller_is_not_touched() -> None:
    messages = [{"role": "tool", "content": [{"type": "text", "text": "long"}]}, {"role": "user", "content": "hello"}]
    before = copy.deepcopy(messages)
    body = {"messages": messages}
    put_texts(body, [Text("long", "short")])
    assert messages == before
    assert body["messages"][1] is messages[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"complete_input_dict": {"messages": []}}, True),
        ({"complete_input_dict": {"messages": []}, "headers": {"Authorization": "Bearer key"}}, True),
        ({"complete_input_dict": {"messages": []}, "headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=..."}}, False),
        ({"complete_input_dict": {"messages": []}, "headers": {"authorization": 'Signature version="1",keyId=...'}}, False),
        ({"complete_input_dict": '{"messages": []}'}, False),
        ({"complete_input_dict": {"prompt": "one text"}}, False),
        ({}, False),
    ],
)
def test_what_cannot_be_changed_any_more(arguments: dict[str, Any], expected: bool) -> None:
    assert can_change(arguments) is expected


REACHED = [
    *("openai/gpt-5", "azure_ai/mistral-large", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.0-flash", "mistral/mistral-large-latest"),
    *("groq/llama-3.3-70b", "deepseek/deepseek-chat", "xai/grok-3", "fireworks_ai/x", "cohere_chat/command-r"),
    *("ollama_chat/llama3", "hosted_vllm/x", "litellm_proxy/gpt-4o", "databricks/x"),
]


@pytest.mark.parametrize("name", REACHED)
def test_synchronous_completion_saves_tokens_with_many_providers(name: str, callback: HeadroomCallback) -> None:
    """The scripted model does not speak every provider's dialect: what counts is what it was sent."""
    with Model() as model:
        try:
            litellm.completion(
                model=name, messages=conversation("openai"), tools=TOOLS["openai"], api_base=model.openai_url, api_key="k", max_retries=0
            )
        except litellm.exceptions.APIError:
            pass
        except (litellm.NotFoundError, litellm.APIConnectionError):
            pass
        (request,) = model.requests
    assert len(request.raw) < len(ORDERS) / 2
    assert callback.savings.tokens_saved > 5_000


def test_a_signed_request_goes_out_whole_and_the_warning_names_the_remedy(callback: HeadroomCallback) -> None:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_region_name": "us-east-1"}
    with Model() as model, pytest.warns(UserWarning, match=r"HeadroomCallback\(\)\.install\(\)"), pytest.raises(litellm.NotFoundError):
        litellm.completion(
            model="bedrock/converse/amazon.nova-pro-v1:0",
            messages=conversation("openai"),
            tools=TOOLS["openai"],
            api_base=model.url,
            max_retries=0,
            **keys,
        )
    assert b"ord_7299" in model.requests[0].raw
    assert callback.savings.failures == 1


def test_a_short_request_that_cannot_be_reached_is_not_worth_a_warning(callback: HeadroomCallback) -> None:
    arguments = {"complete_input_dict": "{}"}
    callback.log_pre_api_call("m", [{"role": "user", "content": "hello"}], {"call_type": "completion", "additional_args": arguments})
    assert callback.savings.failures == 0

"""The providers' own clients through the proxy, told nothing but its address."""

from __future__ import annotations

from typing import Any, cast

import anthropic
import openai
import pytest

from tests.proxy.running import Proxy, question
from tests.proxy.test_exchange import looks_up
from tests.scripted_model import Reply, ScriptedModel


@pytest.fixture
def claude(proxy: Proxy) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=proxy.url, api_key="sk-one", max_retries=0)


@pytest.fixture
def gpt(proxy: Proxy) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="sk-one", max_retries=0)


def test_anthropics_client(model: ScriptedModel, claude: anthropic.Anthropic) -> None:
    model.script = looks_up
    asked = cast(Any, question("anthropic"))
    assert "ord_7301" in cast(Any, claude.messages.create(**asked).content[0]).text
    model.clear()
    with claude.messages.stream(**asked) as stream:
        assert "ord_7301" in stream.get_final_text()
    assert len(model.requests) == 2
    assert claude.messages.count_tokens(model="m", messages=asked["messages"]).input_tokens > 0
    assert [known.id for known in claude.models.list()] == ["scripted"]


def test_openais_client(model: ScriptedModel, gpt: openai.OpenAI) -> None:
    model.script = looks_up
    chat, responses = cast(Any, question("openai")), cast(Any, question("responses"))
    assert "ord_7301" in str(gpt.chat.completions.create(**chat).choices[0].message.content)
    pieces = [piece.choices[0].delta.content or "" for piece in gpt.chat.completions.create(**chat, stream=True)]
    assert "ord_7301" in "".join(pieces)
    assert "ord_7301" in gpt.responses.create(**responses).output_text
    with gpt.responses.stream(**responses) as stream:
        assert "ord_7301" in stream.get_final_response().output_text
    assert [known.id for known in gpt.models.list()] == ["scripted"]


def test_typed_errors(model: ScriptedModel, claude: anthropic.Anthropic, gpt: openai.OpenAI) -> None:
    model.script = [Reply(status=429, headers={"retry-after": "9"})]
    with pytest.raises(anthropic.RateLimitError) as of_anthropic:
        claude.messages.create(**cast(Any, question("anthropic")))
    with pytest.raises(openai.RateLimitError) as of_openai:
        gpt.responses.create(**cast(Any, question("responses")))
    assert of_anthropic.value.response.headers["retry-after"] == of_openai.value.response.headers["retry-after"] == "9"


def test_refusals_of_the_proxys_own_are_typed_too() -> None:
    with ScriptedModel() as model, Proxy(model, max_body_bytes=5_000) as proxy:
        claude = anthropic.Anthropic(base_url=proxy.url, api_key="sk-one", max_retries=0)
        with pytest.raises(anthropic.APIStatusError, match="larger than 5000 bytes") as refused:
            claude.messages.create(**cast(Any, question("anthropic")))
    assert refused.value.status_code == 413
    assert cast(Any, refused.value.body)["error"]["type"] == "request_too_large"

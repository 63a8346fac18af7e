"""A wrapped model is the model: same class by name and by isinstance, same settings, same ways of being copied."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agno.models.anthropic import Claude
from agno.models.base import Model
from agno.models.message import Message
from agno.models.openai import OpenAIChat, OpenAIResponses
from agno.reasoning.anthropic import is_anthropic_reasoning_model
from agno.reasoning.openai import is_openai_reasoning_model

from headroom import ConfigError, MemoryStore
from headroom.integrations.agno import HeadroomAgnoModel
from headroom.service import CompressionService
from tests.integrations.agno.playing import LOG, ORDERS, agent_with, asks, get_log, get_orders, play, says, served
from tests.scripted_model import Call

MODELS: dict[str, Callable[[], Model]] = {
    "chat": lambda: OpenAIChat(id="gpt-4o", api_key="none", temperature=0.3),
    "responses": lambda: OpenAIResponses(id="o3", api_key="none"),
    "claude": lambda: Claude(id="claude-sonnet-4-6", api_key="none", thinking={"type": "enabled", "budget_tokens": 1024}),
}
TWO_TOOLS = [asks(Call("get_orders", {"day": 1})), asks(Call("get_log", {"service": "pay"})), says("Declined.")]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]()


def fields_of(model: Model) -> dict[str, Any]:
    return {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}


def test_it_passes_for_its_own_class(model: Model) -> None:
    wrapped = HeadroomAgnoModel(model)
    assert type(wrapped).__name__ == type(model).__name__
    assert type(wrapped).__module__ == type(model).__module__
    assert isinstance(wrapped, type(model))
    assert isinstance(wrapped, HeadroomAgnoModel)
    assert not isinstance(model, HeadroomAgnoModel)


def test_it_says_the_same_of_itself(model: Model) -> None:
    wrapped = HeadroomAgnoModel(model)
    assert fields_of(wrapped) == fields_of(model)
    assert wrapped.to_dict() == model.to_dict()
    assert wrapped.get_provider() == model.get_provider()
    assert repr(wrapped) == repr(model)
    for reasons in (is_openai_reasoning_model, is_anthropic_reasoning_model):
        assert reasons(wrapped) == reasons(model)


def test_equal_models_stay_equal(model: Model) -> None:
    assert HeadroomAgnoModel(model) == HeadroomAgnoModel(copy.copy(model))


def test_the_wrapped_model_is_left_alone(model: Model) -> None:
    before, kind = dict(model.__dict__), type(model)
    HeadroomAgnoModel(model)
    assert model.__dict__ == before
    assert type(model) is kind


def test_wrapping_twice_wraps_once(model: Model) -> None:
    twice = HeadroomAgnoModel(HeadroomAgnoModel(model))
    assert type(twice) is type(HeadroomAgnoModel(model))


def test_copies_count_together(model: Model) -> None:
    wrapped = HeadroomAgnoModel(model)
    for copied in (copy.copy(wrapped), copy.deepcopy(wrapped), agent_with(wrapped).deep_copy().model):
        assert isinstance(copied, HeadroomAgnoModel)
        assert type(copied) is type(wrapped)
        assert fields_of(copied) == fields_of(wrapped)
        assert copied.savings is wrapped.savings


def test_pickled_it_is_the_same_model_and_counts_for_itself(model: Model) -> None:
    wrapped = HeadroomAgnoModel(model, namespace="tenant-7")
    restored = pickle.loads(pickle.dumps(wrapped))
    assert type(restored) is type(wrapped)
    assert fields_of(restored) == fields_of(wrapped)
    assert restored.headroom.config == wrapped.headroom.config
    assert restored.savings is not wrapped.savings
    assert restored.get_savings_summary()["requests"] == 0


def test_replaced_it_still_compresses(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        play(agent_with(dataclasses.replace(model, temperature=0.1), db, tools=[get_orders, get_log]), "run")
        assert len(server.requests[-1].tool_outputs[0]) < 0.3 * len(ORDERS)
        assert server.requests[-1].body["temperature"] == 0.1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
def test_a_copy_works(copied: Callable[[Any], Any], tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", lambda model: copied(HeadroomAgnoModel(model)), tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log]), "run")
        assert sum(map(len, server.requests[-1].tool_outputs)) < 0.3 * len(ORDERS + LOG)


def test_a_model_named_by_a_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    model: Any = HeadroomAgnoModel("openai:gpt-4o")
    assert (type(model).__name__, model.id) == ("OpenAIResponses", "gpt-4o") or (type(model).__name__, model.id) == ("OpenAIChat", "gpt-4o")


@pytest.mark.parametrize("nonsense", [None, 7, object(), OpenAIChat])
def test_what_is_no_model(nonsense: Any) -> None:
    with pytest.raises(ConfigError, match="must be one of Agno's models"):
        HeadroomAgnoModel(nonsense)


def test_a_mistyped_option() -> None:
    with pytest.raises(ConfigError, match="did you mean 'min_tokens'"):
        HeadroomAgnoModel(MODELS["chat"](), min_token=3)


def test_options_are_those_of_compress() -> None:
    store = MemoryStore()
    service = HeadroomAgnoModel(MODELS["chat"](), store=store, namespace="tenant-7", lossless=True).headroom
    assert isinstance(service, CompressionService)
    assert (service.store, service.config.namespace, service.lossless) == (store, "tenant-7", True)


PROVIDERS = {
    "agno.models.openai.like": "OpenAILike",
    "agno.models.openrouter": "OpenRouter",
    "agno.models.deepseek": "DeepSeek",
    "agno.models.litellm": "LiteLLM",
    "agno.models.ollama": "Ollama",
    "agno.models.google": "Gemini",
    "agno.models.groq": "Groq",
    "agno.models.xai": "xAI",
    "agno.models.vllm": "VLLM",
    "agno.models.lmstudio": "LMStudio",
    "agno.models.azure": "AzureOpenAI",
    "agno.models.aws": "AwsBedrock",
    "agno.models.mistral": "MistralChat",
    "agno.models.cohere": "Cohere",
}


@pytest.mark.parametrize("module", PROVIDERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the vendors' own, on import
def test_any_provider_that_is_installed_can_be_wrapped(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or LiteLLM asks the network when imported
    try:
        provider = getattr(importlib.import_module(module), PROVIDERS[module])
    except ImportError as missing:
        pytest.skip(str(missing))
    model = provider(id="some-model")
    wrapped = HeadroomAgnoModel(model)
    assert type(wrapped).__name__ == PROVIDERS[module]
    assert fields_of(copy.deepcopy(wrapped)) == fields_of(copy.deepcopy(model))
    assert pickle.loads(pickle.dumps(wrapped)).to_dict() == model.to_dict()


def test_what_was_saved(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (_, model, db):
        assert isinstance(model, HeadroomAgnoModel)
        play(agent_with(model, db, tools=[get_orders, get_log]), "run")
        summary, history = model.get_savings_summary(), model.metrics_history
        assert summary["requests"] == len(history) == 3
        assert summary["tokens_saved"] == model.total_tokens_saved == sum(request.tokens_saved for request in history) > 20_000
        assert [request.tokens_saved > 0 for request in history] == [False, True, True]
        model.reset()
        assert (model.total_tokens_saved, model.metrics_history) == (0, [])


def test_the_history_has_an_end(tmp_path: Path) -> None:
    with served(["ok"], "chat", HeadroomAgnoModel, tmp_path) as (_, model, _db):
        assert isinstance(model, HeadroomAgnoModel)
        for number in range(120):
            model.headroom.compress([{"role": "user", "content": f"question {number}"}], "gpt-4o")
        assert len(model.metrics_history) == 100
        assert model.get_savings_summary()["requests"] == 120


def test_messages_given_to_the_model_itself_stay_as_they_are(tmp_path: Path) -> None:
    """`model.response()` without an agent: nothing could answer the tool, so it folds only; and Agno's loop fills the list."""
    with served(["Paid."], "chat", HeadroomAgnoModel, tmp_path) as (server, model, _):
        call = {"id": "c1", "type": "function", "function": {"name": "get_orders", "arguments": "{}"}}
        messages = [
            Message(role="user", content="Which orders are there?"),
            Message(role="assistant", tool_calls=[call]),
            Message(role="tool", tool_call_id="c1", tool_name="get_orders", content=ORDERS),
        ]
        given, before = list(messages), [message.to_dict() for message in messages]
        assert model.response(messages=messages).content == "Paid."
    assert messages[:3] == given
    assert all(message is original for message, original in zip(messages, given, strict=False))
    assert [message.to_dict() for message in given] == before
    assert [message.role for message in messages[3:]] == ["assistant"]
    assert len(server.requests[0].tool_outputs[0]) < 0.7 * len(ORDERS)
    assert server.requests[0].tools == []

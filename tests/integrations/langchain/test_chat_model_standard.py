"""LangChain's standard tests: whatever the bare class passes, the wrapper of it passes, side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from headroom.integrations.langchain import HeadroomChatModel
from tests.integrations.langchain.models import Server
from tests.scripted_model import Call, Json, Reply, Request

pytestmark = [
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema"),
    pytest.mark.filterwarnings("ignore:Unrecognized structured output method"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Cannot use method='json_schema'"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.deprecation.LangChainDeprecationWarning"),
]


EXPIRED = "it has expired"
"""What headroom_retrieve answers in these tests."""


def as_told(request: Request) -> Reply | str:
    """A model that does what these tests ask for: calls the tool that it is given, writes the document that it is given."""
    schema = document_schema(request.body)
    if schema is not None:
        return json.dumps(example(schema, request) or {"setup": "Why?", "punchline": "Because."})
    tools = [(tool.get("function") or tool) for tool in request.body.get("tools") or []]
    tools = [tool for tool in tools if tool["name"] != "headroom_retrieve"]
    if not tools or any(EXPIRED not in output for output in request.tool_outputs):
        return "Hello to you."
    choice = request.body.get("tool_choice")
    named = (choice.get("function") or choice).get("name") if isinstance(choice, dict) else None
    chosen = next((tool for tool in tools if tool["name"] == named), tools[0])
    return Reply(calls=(Call(chosen["name"], example(chosen.get("parameters") or chosen["input_schema"], request)),))


def asking_first(request: Request) -> Reply | str:
    """The same, but wherever it can it asks for an original first: nobody must notice."""
    choice = request.body.get("tool_choice")
    free = choice in (None, "auto", "any", "required") or choice.get("type") in ("auto", "any")
    if "headroom_retrieve" in request.tools and free and not any(EXPIRED in output for output in request.tool_outputs):
        return Reply(calls=(Call("headroom_retrieve", {"ref": "k3v9x2m7qa-f3k", "query": None, "lines": None, "offset": None}),))
    return as_told(request)


def document_schema(body: Json) -> Json | None:
    """The schema of the document that the reply must be; {} for any."""
    wanted = body.get("response_format") or (body.get("text") or {}).get("format") or (body.get("output_config") or {}).get("format")
    if not wanted or wanted["type"] == "text":
        return None
    found: Json = wanted.get("schema") or (wanted.get("json_schema") or {}).get("schema") or {}
    return found


def example(schema: Json, request: Request) -> Json:
    """Arguments that fit a schema."""
    return {name: 3 if kind.get("type") == "integer" else request.user_text for name, kind in schema.get("properties", {}).items()}


class OpenAI:
    kind: type[BaseChatModel] = ChatOpenAI
    options: Json = {"model": "gpt-4o"}  # noqa: RUF012


class Responses:
    kind: type[BaseChatModel] = ChatOpenAI
    options: Json = {"model": "gpt-4o", "use_responses_api": True}  # noqa: RUF012


class ResponsesServed(Responses):
    if version("langchain-openai") == "1.0.0":

        @pytest.mark.xfail(reason="langchain-openai 1.0.0 sends `stop` to the Responses API, which takes none")
        def test_stop_sequence(self, model: BaseChatModel) -> None:
            ChatModelIntegrationTests.test_stop_sequence(self, model)  # type: ignore[arg-type]


class Anthropic:
    kind: type[BaseChatModel] = ChatAnthropic
    options: Json = {"model": "claude-test"}  # noqa: RUF012


class Bare:
    kind: type[BaseChatModel]
    options: Json
    server: Server | None = None

    @property
    def chat_model_class(self) -> Any:
        return self.kind

    @property
    def chat_model_params(self) -> Json:
        return {**self.options, "api_key": "test", "stream_usage": True, **self._address()}

    @property
    def init_from_env_params(self) -> tuple[Json, Json, Json]:
        owner = "anthropic" if self.kind is ChatAnthropic else "openai"
        return {f"{owner.upper()}_API_KEY": "test"}, self.options, {f"{owner}_api_key": "test"}

    @pytest.fixture
    def benchmark(self, benchmark: Any) -> Any:
        benchmark.disabled = True  # runs once: times prove nothing here
        return benchmark

    @pytest.fixture
    def vcr(self) -> None:
        return None

    @pytest.fixture
    def snapshot(self, model: BaseChatModel) -> Callable[..., Any]:
        """What a dump must be equal to: that of the bare model."""
        bare = self.kind(**{**self.standard_chat_model_params, **self.chat_model_params})  # type: ignore[attr-defined]
        return lambda name: dumpd(bare)

    def _address(self) -> Json:
        if self.server is None:
            return {}
        return {"base_url": self.server.url if self.kind is ChatAnthropic else self.server.openai_url}


class Wrapped(Bare):
    @property
    def chat_model_class(self) -> Any:
        return type(HeadroomChatModel(self.kind(**{**self.options, "api_key": "test"})))


class Served(Bare):
    script = staticmethod(as_told)

    @classmethod
    def setup_class(cls) -> None:
        cls.server = Server(cls.script)

    @classmethod
    def teardown_class(cls) -> None:
        assert cls.server is not None
        cls.server.close()

    @property
    def supports_json_mode(self) -> bool:
        return self.kind is ChatOpenAI

    @property
    def supports_anthropic_inputs(self) -> bool:
        return self.kind is ChatAnthropic

    @property
    def model_override_value(self) -> str:
        return "gpt-4o-mini"


class TestOpenAIBareUnit(OpenAI, Bare, ChatModelUnitTests): ...


class TestOpenAIWrappedUnit(OpenAI, Wrapped, ChatModelUnitTests): ...


class TestResponsesBareUnit(Responses, Bare, ChatModelUnitTests): ...


class TestResponsesWrappedUnit(Responses, Wrapped, ChatModelUnitTests): ...


class TestAnthropicBareUnit(Anthropic, Bare, ChatModelUnitTests): ...


class TestAnthropicWrappedUnit(Anthropic, Wrapped, ChatModelUnitTests): ...


class TestOpenAIBare(OpenAI, Served, ChatModelIntegrationTests): ...


class TestOpenAIWrapped(OpenAI, Wrapped, Served, ChatModelIntegrationTests): ...


class TestResponsesBare(ResponsesServed, Served, ChatModelIntegrationTests): ...


class TestResponsesWrapped(ResponsesServed, Wrapped, Served, ChatModelIntegrationTests): ...


class TestAnthropicBare(Anthropic, Served, ChatModelIntegrationTests): ...


class TestAnthropicWrapped(Anthropic, Wrapped, Served, ChatModelIntegrationTests): ...


class TestOpenAIAskingFirst(OpenAI, Wrapped, Served, ChatModelIntegrationTests):
    script = staticmethod(asking_first)


class TestResponsesAskingFirst(ResponsesServed, Wrapped, Served, ChatModelIntegrationTests):
    script = staticmethod(asking_first)


class TestAnthropicAskingFirst(Anthropic, Wrapped, Served, ChatModelIntegrationTests):
    script = staticmethod(asking_first)

"""Whatever LangChain makes of a chat model can be wrapped: what it bound, configured and retries stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import ConfigurableField
from langchain_core.runnables.base import RunnableBinding
from langchain_openai import ChatOpenAI

from headroom.integrations.langchain import HeadroomChatModel
from tests.integrations.langchain.agents import ORDERS, list_orders, model_of
from tests.integrations.langchain.models import Server, conversation
from tests.scripted_model import Request


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(["It is ord_7301."]) as running:
        yield running


def sent(server: Server) -> Request:
    """The only request, which must be a shortened one."""
    (request,) = server.requests
    assert ORDERS not in request.tool_outputs[0]
    assert request.tools[0] == "headroom_retrieve"
    return request


def test_a_binding_keeps_what_it_bound(server: Server) -> None:
    bound = model_of("openai", server).bind_tools([list_orders]).bind(stop=["X"]).with_config(tags=["a"])
    model = HeadroomChatModel(bound)
    model.invoke(conversation())
    assert isinstance(model, RunnableBinding)
    assert model.config["tags"] == ["a"]
    assert sent(server).tools == ["headroom_retrieve", "list_orders"]
    assert sent(server).body["stop"] == ["X"]
    assert model.total_tokens_saved > 0
    assert not isinstance(bound.bound, HeadroomChatModel)


def test_retries_fallbacks_and_configurable_fields_are_rebuilt_around_it(server: Server) -> None:
    bare = model_of("openai", server)
    made = {
        "retry": bare.with_retry(),
        "fallbacks": bare.with_fallbacks([bare]),
        "fields": bare.configurable_fields(temperature=ConfigurableField(id="heat")),
        "alternatives": bare.configurable_alternatives(ConfigurableField(id="which"), other=bare),
    }
    for runnable in made.values():
        server.clear()
        wrapped = HeadroomChatModel(runnable)
        assert type(wrapped) is type(runnable)
        wrapped.invoke(conversation())
        sent(server)


def test_what_init_chat_model_gives_can_be_wrapped(server: Server) -> None:
    where = {"base_url": server.openai_url, "api_key": "k"}
    HeadroomChatModel(init_chat_model("openai:gpt-4o", **where)).invoke(conversation())
    assert sent(server).body["model"] == "gpt-4o"


def test_a_configurable_model_is_wrapped_each_time_it_is_made(server: Server) -> None:
    where = {"base_url": server.openai_url, "api_key": "k"}
    model = HeadroomChatModel(init_chat_model("gpt-4o", model_provider="openai", configurable_fields=("model", "temperature"), **where))
    ways: list[Any] = [model, model.bind_tools([list_orders]), model.with_config(configurable={"temperature": 0.25})]
    ways.append(ways[1].with_config(configurable={"temperature": 0.25}))
    for way in ways:
        server.clear()
        way.invoke(conversation(), config={"configurable": {"model": "gpt-4.1"}})
        assert sent(server).body["model"] == "gpt-4.1"
        assert (way in ways[2:]) == (sent(server).body.get("temperature") == 0.25)
        assert ("list_orders" in sent(server).tools) == (way in (ways[1], ways[3]))
    assert model.get_metrics()["requests"] == len(ways)
    assert isinstance(model.with_config(configurable={}), type(model))


class Quiet(BaseChatModel):
    """A model that neither streams nor takes tools nor run managers."""

    seen: list[Any] = []  # noqa: RUF012

    @property
    def _llm_type(self) -> str:
        return "quiet"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, **kwargs: Any) -> ChatResult:  # type: ignore[override]
        self.seen.append((messages, kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage("hm"))])


async def test_a_model_that_cannot_stream_is_not_made_to() -> None:
    model = HeadroomChatModel(Quiet(seen=[]))
    chunks = [chunk.content for chunk in model.stream(conversation())]
    assert [*chunks, (await model.ainvoke(conversation())).content, *[c.content async for c in model.astream("hello")]] == ["hm"] * 3
    assert model.get_metrics()["requests"] == 3
    assert model._get_ls_params()["ls_provider"] == Quiet()._get_ls_params()["ls_provider"]


def test_a_model_that_takes_no_tools_is_sent_everything() -> None:
    model = HeadroomChatModel(Quiet(seen=[]))
    model.invoke(conversation())
    ((messages, arguments),) = model.seen
    assert arguments == {}
    assert len(messages[3].content) < len(ORDERS)
    assert all(f"ord_7{number:03}" in messages[3].content for number in range(300))


def test_fakes_work_too() -> None:
    assert HeadroomChatModel(FakeListChatModel(responses=["yes"])).invoke(conversation()).content == "yes"
    fake = HeadroomChatModel(GenericFakeChatModel(messages=iter([AIMessage("hello there")])))
    assert "".join(str(chunk.content) for chunk in fake.stream(conversation())) == "hello there"


def test_a_class_is_made_once() -> None:
    bare = ChatOpenAI(model="gpt-4o", api_key="k")
    assert type(HeadroomChatModel(bare)) is type(HeadroomChatModel(bare, retrieve=False))
    assert type(HeadroomChatModel(bare)).__qualname__ == "HeadroomChatOpenAI"

"""HeadroomChatModel(model) is the model, sending less: every way to call it, and everything that is made from it."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel

from headroom import CompressConfig, CompressionHooks, ConfigError, MemoryStore, retrieve
from headroom.integrations import HeadroomChatModel
from tests.integrations.langchain.agents import DIALECTS, ORDERS, list_orders, model_of
from tests.integrations.langchain.models import HAS_V3, Runs, Server, as_bare, conversation, wrapped
from tests.scripted_model import Reply, Request, calls

pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.parametrize("dialect", DIALECTS),
]


class Verdict(BaseModel):
    """What became of it."""

    failed: str


def says_what_is_wanted(request: Request) -> Reply | str:
    if "Verdict" in request.tools:
        return calls("Verdict", failed="ord_7301")
    document = request.body.get("response_format") or request.body.get("output_config") or (request.body.get("text") or {}).get("format")
    return json.dumps({"failed": "ord_7301"}) if document else "It is ord_7301."


def is_forced(request: Request) -> bool:
    return "Verdict" in json.dumps(request.body.get("tool_choice"))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(says_what_is_wanted) as running:
        yield running


async def _all(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def _v3(model: Any) -> Any:
    stream = await model.astream_events(conversation(), version="v3")
    return [event async for event in stream]


def _document(model: Any, **how: Any) -> Any:
    found = model.with_structured_output(Verdict, **how).invoke(conversation())
    assert found == Verdict(failed="ord_7301")


TEMPERATURE = ConfigurableField(id="heat")
WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke(conversation()),
    "ainvoke": lambda model: asyncio.run(model.ainvoke(conversation())),
    "stream": lambda model: list(model.stream(conversation())),
    "astream": lambda model: asyncio.run(_all(model.astream(conversation()))),
    "batch": lambda model: model.batch([conversation(), conversation()]),
    "abatch": lambda model: asyncio.run(model.abatch([conversation(), conversation()])),
    "generate": lambda model: model.generate([conversation(), conversation()]),
    "astream_events v2": lambda model: asyncio.run(_all(model.astream_events(conversation(), version="v2"))),
    "stream_events v3": lambda model: list(model.stream_events(conversation(), version="v3")),
    "astream_events v3": lambda model: asyncio.run(_v3(model)),
    "bind_tools": lambda model: model.bind_tools([list_orders]).invoke(conversation()),
    "bind": lambda model: model.bind(temperature=0.25).invoke(conversation()),
    "with_config": lambda model: model.with_config(run_name="shop", tags=["a"]).invoke(conversation()),
    "with_retry": lambda model: model.with_retry(stop_after_attempt=2).invoke(conversation()),
    "with_fallbacks": lambda model: model.with_fallbacks([model]).invoke(conversation()),
    "bound fallbacks": lambda model: model.with_fallbacks([model]).bind_tools([list_orders]).invoke(conversation()),
    "configurable_fields": lambda model: model.configurable_fields(temperature=TEMPERATURE).invoke(
        conversation(), config={"configurable": {"heat": 0.25}}
    ),
    "document": _document,
    "forced call": lambda model: _document(model, method="function_calling"),
    "model_copy": lambda model: model.model_copy(update={"tags": ["b"]}).invoke(conversation()),
    "copy": lambda model: copy.copy(model).invoke(conversation()),
    "agent": lambda model: create_agent(model, [list_orders]).invoke({"messages": conversation()}),
    "agent with a document": lambda model: create_agent(model, [list_orders], response_format=Verdict).invoke({"messages": conversation()}),
}

if not HAS_V3:
    WAYS = {name: way for name, way in WAYS.items() if "v3" not in name}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_sends_what_the_bare_model_sends_but_for_shorter_outputs_and_our_tool(dialect: str, way: str, server: Server) -> None:
    WAYS[way](model_of(dialect, server))
    bare = [request.body for request in server.requests]
    server.clear()
    WAYS[way](wrapped(dialect, server))
    assert len(server.requests) == len(bare)
    for request, before in zip(server.requests, bare, strict=True):
        assert len(request.tool_outputs[0]) < len(ORDERS) * (0.8 if is_forced(request) else 0.3)  # a forced model cannot ask
        assert bool(request.references) is not is_forced(request)
        assert request.tools[0] == "headroom_retrieve"
        assert as_bare(request.body) == as_bare(before)


@pytest.mark.parametrize(
    "way", [name for name in WAYS if name in ("invoke", "stream", "bind_tools") or name.startswith(("astream_events v2", "stream_events"))]
)
def test_every_way_gives_what_the_bare_model_gives(dialect: str, way: str, server: Server) -> None:
    """But for ids of runs, and a note on what was saved."""
    if "events" in way:
        bare, ours = ([event["event"] for event in WAYS[way](model)] for model in (model_of(dialect, server), wrapped(dialect, server)))
        assert ours == bare
        return
    bare_given, our_given = (_plain(WAYS[way](model)) for model in (model_of(dialect, server), wrapped(dialect, server)))
    assert our_given == bare_given


def _plain(given: Any) -> list[Any]:
    chunks = given if isinstance(given, list) else [given]
    return [_plain_message(chunk) for chunk in chunks]


def _plain_message(message: AIMessage) -> dict[str, Any]:
    plain = message.model_dump(exclude={"id", "usage_metadata"})
    for key in ("headroom", "id", "token_usage", "usage"):  # each request has an id and a size of its own
        plain["response_metadata"].pop(key, None)
    text = json.dumps(plain)
    return json.loads(text.replace("msg_1", "msg_0").replace("_1_0", "_0_0"))  # type: ignore[no-any-return]


def test_a_wrapped_model_is_one_of_its_class_and_goes_by_its_name(dialect: str, server: Server) -> None:
    bare, model = model_of(dialect, server, temperature=0.5), wrapped(dialect, server, temperature=0.5)
    assert isinstance(model, type(bare))
    assert isinstance(model, HeadroomChatModel)
    assert not isinstance(bare, HeadroomChatModel)
    assert type(model).__name__ == type(bare).__name__
    assert model.lc_id() == bare.lc_id()
    assert model.get_name() == bare.get_name()
    assert getattr(model, "profile", None) == getattr(bare, "profile", None)
    assert model._get_ls_params() == bare._get_ls_params()
    assert model._identifying_params == bare._identifying_params
    assert dumps(model) == dumps(bare)
    assert repr(model).partition("client=")[0] == repr(bare).partition("client=")[0]


def test_tokens_are_counted_as_the_bare_model_counts_them(dialect: str, server: Server) -> None:
    counting = {"custom_get_token_ids": lambda text: list(range(len(text)))}
    bare, model = model_of(dialect, server, **counting), wrapped(dialect, server, **counting)
    assert model.get_num_tokens("hello") == bare.get_num_tokens("hello") == 5
    if dialect == "anthropic":  # asks the provider; ChatOpenAI would load a vocabulary from the network
        hello = [HumanMessage("hello")]
        assert model.get_num_tokens_from_messages(hello) == bare.get_num_tokens_from_messages(hello)


def test_the_callers_messages_stay_as_they_are(dialect: str, server: Server) -> None:
    messages = conversation()
    before = copy.deepcopy(messages)
    wrapped(dialect, server).invoke(messages)
    assert messages == before


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_one_request_is_one_traced_run_and_its_usage_is_counted_once(dialect: str, way: str, server: Server) -> None:
    runs, usage = Runs(), UsageMetadataCallbackHandler()
    WAYS[way](wrapped(dialect, server, callbacks=[runs, usage], stream_usage=True))
    assert runs.events == ["start", "end"]
    assert runs.names == [type(model_of(dialect, server)).__name__]
    if hasattr(BaseChatModel, "_get_ls_params_with_defaults"):  # older ones give no place for it
        assert runs.metadata[0]["headroom_retrieve"] is True
    (counted,) = usage.usage_metadata.values()
    assert counted["output_tokens"] == 5


def test_a_cached_reply_needs_no_request(dialect: str, server: Server) -> None:
    model = wrapped(dialect, server, cache=InMemoryCache())
    first, second = model.invoke(conversation()), model.invoke(conversation())
    assert len(server.requests) == 1
    assert first.content == second.content


def test_a_rate_limiter_is_asked_once_a_request(dialect: str, server: Server) -> None:
    class Limiter(BaseRateLimiter):
        asked = 0

        def acquire(self, *, blocking: bool = True) -> bool:
            Limiter.asked += 1
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            return self.acquire()

    model = wrapped(dialect, server, rate_limiter=Limiter())
    model.invoke(conversation())
    list(model.stream(conversation()))
    assert Limiter.asked == 2


def test_streaming_can_be_disabled_and_blocks_asked_for(dialect: str, server: Server) -> None:
    list(wrapped(dialect, server, disable_streaming=True).stream(conversation()))
    assert not server.requests[0].body.get("stream")
    assert wrapped(dialect, server, output_version="v1").invoke(conversation()).content[0]["type"] == "text"
    list(wrapped(dialect, server, disable_streaming="tool_calling").stream(conversation()))  # the application binds no tool
    assert server.requests[2].body["stream"] is True


def test_an_invoke_that_streams_is_compressed_once(dialect: str, server: Server) -> None:
    model = wrapped(dialect, server, streaming=True)
    assert model.invoke(conversation()).text == "It is ord_7301."
    assert server.requests[0].body["stream"] is True
    assert model.get_metrics()["requests"] == 1


def test_what_was_saved_is_counted_in_whatever_is_made_of_the_model(dialect: str, server: Server) -> None:
    model = wrapped(dialect, server)
    assert model.total_tokens_saved == 0
    bound = model.bind_tools([list_orders])
    made = [model, bound, model.bind(temperature=0.25), model.with_config(tags=["a"]), model.model_copy(), bound.with_retry()]
    for runnable in made:
        runnable.invoke(conversation())
    metrics = model.get_metrics()
    assert metrics["requests"] == len(made)
    assert metrics["tokens_saved"] == model.total_tokens_saved == bound.total_tokens_saved > 20_000
    assert 50 < metrics["savings_percent"] < 100
    summary = bound.get_savings_summary()
    assert summary["total_requests"] == len(made)
    assert summary["total_tokens_saved"] == model.total_tokens_saved
    assert len(summary["recent"]) == len(made)


def test_a_reply_says_what_was_saved_for_it(dialect: str, server: Server) -> None:
    model = wrapped(dialect, server)
    whole = model.invoke(conversation())
    chunks = list(model.stream(conversation()))
    joined = chunks[0]
    for chunk in chunks[1:]:
        joined += chunk
    for reply in (whole, joined):
        note = reply.response_metadata["headroom"]
        assert note["texts_shortened"] == 1
        assert note["estimated_tokens_saved"] > 5_000
    assert "headroom" not in model.invoke("hello").response_metadata


@pytest.mark.filterwarnings("ignore:Exception ignored in.*HttpxClientWrapper")  # of a bare model, half copied
def test_a_copy_and_a_pickle_work_where_those_of_the_bare_model_do(dialect: str, server: Server) -> None:
    model = wrapped(dialect, server)
    for make in (copy.deepcopy, lambda original: pickle.loads(pickle.dumps(original))):
        try:
            make(model_of(dialect, server))
        except TypeError:  # ChatOpenAI holds a lock
            with pytest.raises(TypeError):
                make(model)
            continue
        made = make(model)
        assert isinstance(made, HeadroomChatModel)
        server.clear()
        made.invoke(conversation())
        assert ORDERS not in server.requests[0].tool_outputs[0]
    assert copy.copy(model).headroom is model.headroom


def test_a_failure_of_ours_passes_the_request_through_and_warns_once(dialect: str, server: Server) -> None:
    class Broken(CompressionHooks):
        def pre_compress(self, messages: Any, ctx: Any) -> Any:
            raise RuntimeError("the hook is broken")

    model = wrapped(dialect, server, headroom={"hooks": Broken()})
    with pytest.warns(UserWarning, match="the hook is broken"):
        assert model.invoke(conversation()).text == "It is ord_7301."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "".join(chunk.text for chunk in model.stream(conversation())) == "It is ord_7301."
        asyncio.run(model.ainvoke(conversation()))
    assert [request.tool_outputs for request in server.requests] == [[ORDERS]] * 3
    assert model.get_metrics()["failures"] == 3
    assert "the hook is broken" in model.get_metrics()["last_failure"]


def test_a_hook_that_drops_messages_is_a_failure_too(dialect: str, server: Server) -> None:
    class Drops(CompressionHooks):
        def pre_compress(self, messages: Any, ctx: Any) -> Any:
            return messages[:1]

    with pytest.warns(UserWarning, match="4 messages became 1"):
        wrapped(dialect, server, headroom={"hooks": Drops()}).invoke(conversation())
    assert server.requests[0].tool_outputs == [ORDERS]


def test_without_retrieval_nothing_is_left_out_and_no_tool_is_added(dialect: str, server: Server) -> None:
    model = wrapped(dialect, server, headroom={"retrieve": False})
    model.invoke(conversation())
    (request,) = server.requests
    assert request.tools == []
    assert request.references == []
    assert len(request.tool_outputs[0]) < len(ORDERS)
    assert all(order["id"] in request.tool_outputs[0] for order in json.loads(ORDERS))


def test_originals_go_to_the_store_and_the_namespace_that_were_given(dialect: str, server: Server) -> None:
    store = MemoryStore()
    wrapped(dialect, server, headroom={"store": store, "namespace": "tenant-7", "min_tokens": 50}).invoke(conversation())
    (reference,) = server.requests[0].references
    assert retrieve(reference, store=store, namespace="tenant-7") == ORDERS


def test_a_model_can_be_wrapped_again_with_other_options(dialect: str, server: Server) -> None:
    model = HeadroomChatModel(wrapped(dialect, server), retrieve=False)
    model.invoke(conversation())
    assert server.requests[0].tools == []
    assert model.get_metrics()["requests"] == 1


def test_mistakes_are_told_at_once(dialect: str, server: Server) -> None:
    bare: BaseChatModel = model_of(dialect, server)
    with pytest.raises(ConfigError, match="did you mean 'min_tokens'"):
        HeadroomChatModel(bare, min_token=3)
    with pytest.raises(ConfigError, match="max_retrieve_rounds must be 1 or more"):
        HeadroomChatModel(bare, max_retrieve_rounds=0)
    with pytest.raises(ConfigError, match="takes a chat model"):
        HeadroomChatModel(lambda messages: messages)
    with pytest.raises(ConfigError, match="init_chat_model"):
        HeadroomChatModel("openai:gpt-4o")
    assert HeadroomChatModel(bare, config=CompressConfig.preset("firm")).headroom.service.config == CompressConfig.preset("firm")

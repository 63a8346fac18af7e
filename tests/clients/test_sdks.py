"""The official SDKs, LiteLLM and LangChain with nothing changed but their base URL: shorter on the wire, answered on the way."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import litellm
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

from tests import node
from tests.clients.proxy_process import ProxyProcess
from tests.clients.wire import LOG
from tests.conversations import call_and_output
from tests.scripted_model import Call, Reply, Request, ScriptedModel

LAST_WORDS = "Request 82 of each round took 82 ms."
NODE_SDKS = {"openai": "7.57.0", "@anthropic-ai/sdk": "1.12.0"}


def script(request: Request) -> Reply | str:
    """The model looks one request up, then answers."""
    if len(request.tool_outputs) > 1:
        return LAST_WORDS
    return Reply(calls=(Call("headroom_retrieve", {"ref": request.references[0], "query": "/v2/orders/12580"}),))


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(script) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ProxyProcess(model, tmp_path_factory.mktemp("headroom")) as running:
        yield running.url


def _messages(dialect: str) -> Any:
    return [{"role": "user", "content": "Which was slowest?"}, *call_and_output(dialect, 1, "read_log", "{}", [LOG], "")]


def _openai_chat(url: str) -> str | None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="dummy") as client:
        return client.chat.completions.create(model="gpt-4o", messages=_messages("openai")).choices[0].message.content


def _openai_chat_stream(url: str) -> str:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="dummy") as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=_messages("openai"), stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def _openai_responses(url: str) -> str:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="dummy") as client:
        return client.responses.create(model="gpt-5", input=_messages("responses")).output_text


def _openai_responses_stream(url: str) -> str:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="dummy")
    with client, client.responses.stream(model="gpt-5", input=_messages("responses")) as stream:
        return stream.get_final_response().output_text


def _anthropic(url: str) -> str:
    with anthropic.Anthropic(base_url=url, api_key="dummy") as client:
        message = client.messages.create(model="claude-of-tomorrow", max_tokens=99, messages=_messages("anthropic"))
    return "".join(block.text for block in message.content if block.type == "text")


def _anthropic_stream(url: str) -> str:
    client = anthropic.Anthropic(base_url=url, api_key="dummy")
    with client, client.messages.stream(model="claude-of-tomorrow", max_tokens=99, messages=_messages("anthropic")) as stream:
        return "".join(stream.text_stream)


def _litellm(url: str) -> Any:
    answer: Any = litellm.completion(model="openai/gpt-4o", api_base=f"{url}/v1", api_key="dummy", messages=_messages("openai"))
    return answer.choices[0].message.content


def _langchain(model: Any) -> str:
    call = {"name": "read_log", "args": {}, "id": "call_1"}
    messages = [HumanMessage("Which was slowest?"), AIMessage("", tool_calls=[call]), ToolMessage(LOG, tool_call_id="call_1")]
    return str(model.invoke(messages).text)


CLIENTS: dict[str, Callable[[str], Any]] = {
    "OpenAI chat": _openai_chat,
    "OpenAI chat, streamed": _openai_chat_stream,
    "OpenAI Responses": _openai_responses,
    "OpenAI Responses, streamed": _openai_responses_stream,
    "Anthropic": _anthropic,
    "Anthropic, streamed": _anthropic_stream,
    "LiteLLM": _litellm,
    "LangChain with ChatOpenAI": lambda url: _langchain(ChatOpenAI(model="gpt-4o", base_url=f"{url}/v1", api_key="dummy")),  # type: ignore[arg-type]
    "LangChain with ChatAnthropic": lambda url: _langchain(ChatAnthropic(model="claude-of-tomorrow", base_url=url, api_key="dummy")),  # type: ignore[call-arg,arg-type]
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # LangChain and LiteLLM keep their connections until the end
@pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning")  # LiteLLM's own types
@pytest.mark.parametrize("client", CLIENTS)
def test_a_python_client(client: str, proxy: str, model: ScriptedModel) -> None:
    model.clear()
    assert CLIENTS[client](proxy) == LAST_WORDS
    _assert_shorter_and_answered(model.requests)


def _assert_shorter_and_answered(requests: list[Request]) -> None:
    first, second = requests
    (shown,) = first.tool_outputs
    assert len(shown) < len(LOG) / 2
    assert "headroom_retrieve" in first.tools
    assert "/v2/orders/12580 in 8 ms" in second.tool_outputs[1]


NODE_PROGRAM = """
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
const [url, messages, input, said] = [process.argv[2], ...process.argv.slice(3).map((text) => JSON.parse(text))];
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "dummy" });
const anthropic = new Anthropic({ baseURL: url, apiKey: "dummy" });
const asks = { model: "claude-of-tomorrow", max_tokens: 99, messages: said };
let streamed = "";
for await (const chunk of await openai.chat.completions.create({ model: "gpt-4o", messages, stream: true })) {
  streamed += chunk.choices[0]?.delta.content ?? "";
}
console.log(JSON.stringify([
  (await openai.chat.completions.create({ model: "gpt-4o", messages })).choices[0].message.content,
  streamed,
  (await openai.responses.create({ model: "gpt-5", input })).output_text,
  (await openai.responses.stream({ model: "gpt-5", input }).finalResponse()).output_text,
  (await anthropic.messages.create(asks)).content.map((block) => block.text).join(""),
  await anthropic.messages.stream(asks).finalText(),
]));
"""


def test_the_official_node_clients(proxy: str, model: ScriptedModel, tmp_path: Path) -> None:
    model.clear()
    (tmp_path / "node_modules").symlink_to(node.installed("sdks", NODE_SDKS), target_is_directory=True)
    (tmp_path / "ask.mjs").write_text(NODE_PROGRAM, encoding="utf-8")
    asked = [json.dumps(_messages(dialect)) for dialect in ("openai", "responses", "anthropic")]
    environment = {"PATH": f"{node.folder()}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["node", "--preserve-symlinks", "ask.mjs", proxy, *asked],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [LAST_WORDS] * 6
    for number in range(0, 12, 2):
        _assert_shorter_and_answered(model.requests[number : number + 2])

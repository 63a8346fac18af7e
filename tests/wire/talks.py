"""One request through Rounds against the scripted model, as any holder of a connection would do it; and what to ask."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from headroom import CompressionService, MemoryStore
from headroom.wire.rounds import Rounds
from tests.conversations import call_and_output
from tests.scripted_model import Call, Reply, Request, Script, ScriptedModel
from tests.shop import orders

Json = dict[str, Any]
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}
DIALECTS = tuple(PATHS)
ORDERS = json.dumps(orders(400))


def messages(dialect: str, *more: Json) -> list[Json]:
    """A user's question, a tool's long output, and whatever comes after."""
    return [{"role": "user", "content": "which one failed?"}, *call_and_output(dialect, 1, "list_orders", "{}", [ORDERS], ""), *more]


def body_of(dialect: str, conversation: list[Json], /, **more: Any) -> Json:
    return {"model": "m", "input" if dialect == "responses" else "messages": conversation, **more}


def own_tool(dialect: str, name: str = "list_orders") -> Json:
    if dialect == "openai":
        return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    if dialect == "anthropic":
        return {"name": name, "input_schema": {"type": "object"}}
    return {"type": "function", "name": name, "parameters": {"type": "object"}}


def retrieval(request: Request, query: str = "ord_7301", id: str = "") -> Call:
    """The model asks for a part of the first thing that was left out."""
    return Call("headroom_retrieve", {"ref": request.references[0], "query": query}, id)


def looks_once(request: Request) -> Reply | str:
    """A model that looks something up before it answers."""
    if len(request.tool_outputs) > 1:
        return Reply("It is ord_7301.", thinking="there it is", usage=(300, 7))
    return Reply("Let me look.", calls=(retrieval(request),), thinking="what failed?", usage=(100, 5))


def new_service(**options: Any) -> CompressionService:
    return CompressionService(store=MemoryStore(), **options)


@dataclass
class Talk:
    """What came of one request."""

    model: ScriptedModel
    rounds: Rounds
    response: Json = field(default_factory=dict)
    """Whole responses."""
    raw: bytes = b""
    """Streams."""

    @property
    def bodies(self) -> list[Json]:
        return self.model.bodies


def talk(
    dialect: str, body: Json, script: Script, *, service: CompressionService | None = None, chunk_bytes: int = 0, **options: Any
) -> Talk:
    """Send `body` and follow the rounds to their end."""
    with ScriptedModel(script) as model, httpx.Client(base_url=model.url, verify=False, timeout=60) as client:
        rounds = Rounds(dialect, body, service or new_service(), **options)
        result = Talk(model, rounds)
        following: Any = rounds.body
        stream = rounds.stream()
        while following is not None:
            answer = client.post(PATHS[dialect], json=following)
            if answer.status_code >= 400:
                following = rounds.refused(answer.status_code, answer.json())
                if following is None:
                    result.response = answer.json()
            elif body.get("stream"):
                for start in range(0, len(answer.content), chunk_bytes or len(answer.content)):
                    result.raw += stream.feed(answer.content[start : start + (chunk_bytes or len(answer.content))])
                last, following = stream.end()
                result.raw += last
            else:
                following = rounds.take(answer.json())
                result.response = rounds.response
    return result


def events(raw: bytes) -> list[Json]:
    """The data of all events of a stream; [DONE] as {"done": True}."""
    data = [line[6:] for line in raw.decode().split("\n") if line.startswith("data: ")]
    return [{"done": True} if text == "[DONE]" else json.loads(text) for text in data]


def words_of(dialect: str, response: Json) -> str:
    if dialect == "openai":
        return response["choices"][0]["message"]["content"] or ""
    if dialect == "anthropic":
        return "|".join(block["text"] for block in response["content"] if block["type"] == "text")
    return "|".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


def calls_of(dialect: str, response: Json) -> list[str]:
    if dialect == "openai":
        return [call["function"]["name"] for call in response["choices"][0]["message"].get("tool_calls") or []]
    if dialect == "anthropic":
        return [block["name"] for block in response["content"] if block["type"] == "tool_use"]
    return [item["name"] for item in response["output"] if item["type"] == "function_call"]


def turn_of(dialect: str, response: Json) -> list[Json]:
    """The response as a client puts it into the conversation."""
    if dialect == "openai":
        return [response["choices"][0]["message"]]
    if dialect == "anthropic":
        return [{"role": "assistant", "content": response["content"]}]
    return list(response["output"])


def output_for(dialect: str, response: Json, text: str) -> list[Json]:
    """The client's answers to its own calls in a response."""
    if dialect == "openai":
        made = response["choices"][0]["message"].get("tool_calls") or []
        return [{"role": "tool", "tool_call_id": call["id"], "content": text} for call in made]
    if dialect == "anthropic":
        ids = [block["id"] for block in response["content"] if block["type"] == "tool_use"]
        return [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text} for id in ids]}]
    ids = [item["call_id"] for item in response["output"] if item["type"] == "function_call"]
    return [{"type": "function_call_output", "call_id": id, "output": text} for id in ids]


def whole_of(dialect: str, raw: bytes) -> Json:
    """A stream put together as the vendors' clients do it: by index, and only if indexes are where they must be."""
    return {"openai": _whole_chat, "anthropic": _whole_message, "responses": _whole_response}[dialect](events(raw))


def _whole_chat(chunks: list[Json]) -> Json:
    assert [chunk for chunk in chunks if "done" in chunk] == [chunks[-1]], "one [DONE], at the end"
    message: Json = {"role": "assistant", "content": None}
    finish, usage = [], None
    assert len({chunk["id"] for chunk in chunks[:-1]}) == 1, "one message has one id"
    for chunk in chunks[:-1]:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if delta.get("content"):
                message["content"] = (message["content"] or "") + delta["content"]
            for piece in delta.get("tool_calls") or []:
                calls = message.setdefault("tool_calls", [])
                assert piece["index"] <= len(calls), "no index is left out"
                if piece["index"] == len(calls):
                    calls.append({"id": piece["id"], "type": "function", "function": {**piece["function"]}})
                else:
                    calls[-1]["function"]["arguments"] += piece["function"]["arguments"]
            finish += [choice["finish_reason"]] if choice["finish_reason"] else []
    assert len(finish) == 1, "one reason to end"
    roles = [choice["delta"]["role"] for chunk in chunks[:-1] for choice in chunk["choices"] if "role" in choice["delta"]]
    assert roles == ["assistant"]
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish[0]}], "usage": usage}


def _whole_message(found: list[Json]) -> Json:
    kinds = [event["type"] for event in found]
    assert kinds.count("message_start") == kinds.count("message_stop") == kinds.count("message_delta") == 1
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
    message: Json = {**found[0]["message"], "content": []}
    for event in found:
        if event["type"] == "content_block_start":
            assert event["index"] == len(message["content"]), "no index is left out"
            message["content"].append({**event["content_block"], "pieces": ""})
        elif event["type"] == "content_block_delta":
            assert event["index"] == len(message["content"]) - 1
            piece = event["delta"].get("partial_json") or event["delta"].get("text") or event["delta"].get("thinking") or ""
            message["content"][-1]["pieces"] += piece
        elif event["type"] == "message_delta":
            message["stop_reason"], message["usage"] = event["delta"]["stop_reason"], {**message["usage"], **event["usage"]}
    for block in message["content"]:
        pieces = block.pop("pieces")
        key = {"tool_use": "input", "text": "text", "thinking": "thinking"}[block["type"]]
        block[key] = json.loads(pieces or "{}") if key == "input" else pieces
    return message


def _whole_response(found: list[Json]) -> Json:
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    kinds = [event["type"] for event in found]
    assert kinds.count("response.created") == kinds.count("response.completed") == 1 and kinds[-1] == "response.completed"
    assert len({event["response"]["id"] for event in found if "response" in event}) == 1
    added = [event["output_index"] for event in found if event["type"] == "response.output_item.added"]
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert added == list(range(len(added)))
    assert found[-1]["response"]["output"] == done, "the last event repeats what came before, and nothing else"
    return found[-1]["response"]

"""The scripted model says the same to the official clients in one piece and as a stream."""

from __future__ import annotations

import anthropic
import openai
import pytest

from tests.scripted_model import Call, Reply, ScriptedModel, calls

REPLIES = [
    Reply("hello wide world", thinking="let me see"),
    calls("look", day=1, where="x" * 30),
    Reply("both", calls=(Call("first"), Call("second", {"a": [1, 2]}))),
]


@pytest.mark.parametrize("reply", REPLIES, ids=["words", "call", "both"])
def test_openai_chat(reply: Reply) -> None:
    with ScriptedModel([reply]) as model, openai.OpenAI(base_url=model.openai_url, api_key="none") as client:
        whole = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}]).choices[0].message
        with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as stream:
            streamed = stream.get_final_completion().choices[0].message
    assert (whole.content or "") == (streamed.content or "") == reply.text
    for message in (whole, streamed):
        assert [call.function.name for call in message.tool_calls or []] == [call.name for call in reply.calls]  # type: ignore[union-attr]


@pytest.mark.parametrize("reply", REPLIES, ids=["words", "call", "both"])
def test_openai_responses(reply: Reply) -> None:
    with ScriptedModel([reply]) as model, openai.OpenAI(base_url=model.openai_url, api_key="none") as client:
        whole = client.responses.create(model="m", input="hi")
        with client.responses.stream(model="m", input="hi") as stream:
            streamed = stream.get_final_response()
    assert whole.output_text == streamed.output_text == reply.text
    for response in (whole, streamed):
        assert [item.name for item in response.output if item.type == "function_call"] == [call.name for call in reply.calls]


@pytest.mark.parametrize("reply", REPLIES, ids=["words", "call", "both"])
def test_anthropic(reply: Reply) -> None:
    with ScriptedModel([reply]) as model, anthropic.Anthropic(base_url=model.url, api_key="none") as client:
        whole = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
        with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as stream:
            streamed = stream.get_final_message()
    for message in (whole, streamed):
        assert "".join(block.text for block in message.content if block.type == "text") == reply.text
        called = [(block.name, block.input) for block in message.content if block.type == "tool_use"]
        assert called == [(call.name, call.arguments) for call in reply.calls]


def test_it_keeps_what_came_and_follows_its_script() -> None:
    with ScriptedModel(lambda request: "yes" if request.tool_outputs else calls("look")) as model:
        client = anthropic.Anthropic(base_url=model.url, api_key="none")
        first = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
        call = first.content[0]
        assert call.type == "tool_use"
        answer = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "found"}]}
        messages = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [answer]},
        ]
        second = client.messages.create(model="m", max_tokens=9, messages=messages)  # type: ignore[arg-type]
        client.close()
    assert second.content[0].text == "yes"  # type: ignore[union-attr]
    assert [request.tool_outputs for request in model.requests] == [[], ["found"]]
    assert model.requests[1].user_text == "hi"


def test_an_error_and_a_broken_stream_reach_the_client() -> None:
    with ScriptedModel([Reply(status=429, headers={"retry-after": "7"}), Reply("a long reply " * 9, breaks_after=4)]) as model:
        client = openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0)
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert refused.value.response.headers["retry-after"] == "7"
        with pytest.raises(Exception, match=r"incomplete|closed|disconnected"):
            list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True))
        client.close()

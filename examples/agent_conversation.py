"""An agent's conversation, made up: "orders to Norway stay unpaid, find out why", in every wire format.

Eight tool outputs of the kinds that fill an agent's context, with the few lines that matter hidden in them. Nothing
here is random or recorded: every value is computed from its index, so that the same text comes out on every machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tool_outputs import kubernetes_pods, orders, payment_attempts, pull_request, search_hits, service_log, source_view, test_run

Message = dict[str, Any]

SYSTEM = "You are a careful on-call engineer for the orders service. Read before you change anything, and change as little as you can."
QUESTION = (
    "Since this morning customers in Norway report that their orders stay unpaid although the bank has taken the money; "
    "ord_10417 is one of them. Please find out why and fix it."
)
ANSWER = (
    "Found it: since the last release `settle` compares the paid amount with the total before rounding, so every NOK payment "
    "with a rounding difference stays open, ord_10417 among them. The failing test shows it; I will round both sides."
)


@dataclass(frozen=True)
class Step:
    """One turn of the agent: what it said, what it called, what came back."""

    words: str
    tool: str
    arguments: dict[str, Any]
    output: str

    @property
    def call_id(self) -> str:
        """The same in every format, different for each tool."""
        return f"call_{self.tool}"


def steps() -> list[Step]:
    """The agent's turns, in order."""
    return [
        Step("Let me look at the orders first.", "list_orders", {"since": "2026-03-01", "limit": 500}, orders()),
        Step("Now the log of the service.", "read_log", {"service": "orders", "lines": 2000}, service_log()),
        Step("Are all pods healthy?", "kubectl", {"command": "get pods -n shop -o wide"}, kubernetes_pods()),
        Step("What did the payment provider say?", "payments_search", {"country": "NO"}, payment_attempts()),
        Step("Who settles payments?", "grep", {"pattern": "settle", "path": "src"}, search_hits()),
        Step("I will read that module.", "read_file", {"path": "src/orders/settlement.py"}, source_view()),
        Step("What changed lately?", "git_diff", {"range": "v4.1.0..v4.2.0"}, pull_request()),
        Step("And what do the tests say?", "run_tests", {"path": "tests"}, test_run()),
    ]


def openai_chat() -> list[Message]:
    """The conversation as OpenAI chat messages."""
    messages: list[Message] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    for step in steps():
        function = {"name": step.tool, "arguments": json.dumps(step.arguments)}
        messages.append(
            {"role": "assistant", "content": step.words, "tool_calls": [{"id": step.call_id, "type": "function", "function": function}]}
        )
        messages.append({"role": "tool", "tool_call_id": step.call_id, "content": step.output})
    return [*messages, {"role": "assistant", "content": ANSWER}]


def anthropic() -> list[Message]:
    """The conversation as Anthropic messages; the system prompt goes beside them there."""
    messages: list[Message] = [{"role": "user", "content": QUESTION}]
    for step in steps():
        call = {"type": "tool_use", "id": step.call_id, "name": step.tool, "input": step.arguments}
        messages.append({"role": "assistant", "content": [{"type": "text", "text": step.words}, call]})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": step.call_id, "content": step.output}]})
    return [*messages, {"role": "assistant", "content": ANSWER}]


def openai_responses() -> list[Message]:
    """The conversation as OpenAI Responses items."""
    items: list[Message] = [{"role": "developer", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    for step in steps():
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": step.words}]}
        call = {"type": "function_call", "call_id": step.call_id, "name": step.tool, "arguments": json.dumps(step.arguments)}
        items += [said, call, {"type": "function_call_output", "call_id": step.call_id, "output": step.output}]
    return [*items, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]}]


FORMATS = {"anthropic": anthropic, "openai": openai_chat, "responses": openai_responses}
"""The dialect's name, as `result.tools()` takes it, and the conversation in it."""

"""Anthropic's own client in an agent's loop: shorter prompts, and the model gets back what it asks for."""

import anthropic
import shop

from headroom.integrations.anthropic import savings_of, with_headroom

TOOL = {
    "name": "list_orders",
    "description": "All orders of a day",
    "input_schema": {"type": "object", "properties": {"day": {"type": "integer"}}},
}

with with_headroom(anthropic.Anthropic()) as client:
    messages = [{"role": "user", "content": "What became of order ord_7133?"}]
    while True:
        with client.messages.stream(model="claude-sonnet-5", max_tokens=1_000, messages=messages, tools=[TOOL]) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
            reply = stream.get_final_message()
        messages.append({"role": "assistant", "content": reply.content})
        calls = [block for block in reply.content if block.type == "tool_use"]
        if not calls:
            break
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": shop.list_orders(**call.input)} for call in calls]
        messages.append({"role": "user", "content": results})

print()
print(savings_of(client).summary())

"""An agent that knows nothing of Headroom, with Anthropic's own client; the proxy stands between it and its provider.

headroom proxy --port 8787
ANTHROPIC_BASE_URL=http://localhost:8787 python examples/proxy/agent.py
"""

import anthropic
import shop

TOOL = {
    "name": "list_orders",
    "description": "All orders of a day",
    "input_schema": {"type": "object", "properties": {"day": {"type": "integer"}}},
}

client = anthropic.Anthropic()
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

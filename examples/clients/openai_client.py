"""OpenAI's own client in an agent's loop: shorter prompts, and the model gets back what it asks for."""

import json

import openai
import shop

from headroom.integrations.openai import savings_of, with_headroom

TOOL = {
    "type": "function",
    "name": "list_orders",
    "description": "All orders of a day",
    "parameters": {"type": "object", "properties": {"day": {"type": "integer"}}},
}

with with_headroom(openai.OpenAI()) as client:
    items = [{"role": "user", "content": "What became of order ord_7133?"}]
    while True:
        response = client.responses.create(model="gpt-5", input=items, tools=[TOOL])
        items += response.output
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            break
        for call in calls:
            output = shop.list_orders(**json.loads(call.arguments))
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": output})

print(response.output_text)
print(savings_of(client).summary())

"""One line more, and every LiteLLM call is compressed: here a synchronous one, with a tool's output in the prompt."""

import litellm
import shop

from headroom.integrations.litellm_callback import HeadroomCallback

litellm.callbacks = [HeadroomCallback()]

call = {"id": "call_1", "type": "function", "function": {"name": "list_orders", "arguments": '{"day": 3}'}}
response = litellm.completion(
    model="gpt-4o",
    messages=[
        {"role": "user", "content": "What became of order ord_7133?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": shop.list_orders(day=3)},
    ],
)

print(response.choices[0].message.content)
print(litellm.callbacks[0].savings.summary())

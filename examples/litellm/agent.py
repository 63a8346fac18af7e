"""An agent's loop over LiteLLM. What the model asks back through `headroom_retrieve` never shows up in it."""

import asyncio
import json

import litellm
import shop

from headroom.integrations.litellm_callback import HeadroomCallback

callback = HeadroomCallback()
litellm.callbacks = [callback]


async def main() -> None:
    messages = [{"role": "user", "content": "What became of order ord_7133?"}]
    while True:
        response = await litellm.acompletion(model="gpt-4o", messages=messages, tools=[shop.TOOL])
        message = response.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            output = shop.list_orders(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": output})
    print(message.content)


asyncio.run(main())
print(callback.savings.summary())

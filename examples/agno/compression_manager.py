"""Agno's own seam: no wrapped model, no call of a model. `content` stays, `compressed_content` is what is sent."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from shop import list_orders

from headroom.integrations.agno import HeadroomCompressionManager, HeadroomTools

manager = HeadroomCompressionManager()
agent = Agent(model=OpenAIChat(id="gpt-4o"), tools=[list_orders, HeadroomTools()], compression_manager=manager, telemetry=False)

run = agent.run("What became of ord_7133?")
print(run.content)
for message in run.messages:
    if message.role == "tool":
        print(message.tool_name, len(message.content), "characters, sent:", len(message.compressed_content or message.content))
print(manager.stats)

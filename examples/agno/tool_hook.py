"""One tool's results, shortened at birth: the session, too, holds the shorter text."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.tools import tool
from shop import list_orders

from headroom.integrations.agno import HeadroomTools, create_headroom_tool_hook

short_orders = tool(tool_hooks=[create_headroom_tool_hook()])(list_orders)
agent = Agent(model=OpenAIChat(id="gpt-4o"), tools=[short_orders, HeadroomTools()], telemetry=False)

run = agent.run("What became of ord_7133?")
print(run.content)
print(run.tools[0].tool_name, len(list_orders(3)), "->", len(run.tools[0].result))

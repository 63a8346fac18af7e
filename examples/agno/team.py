"""A team: the leader delegates, the member reads the orders; both send less, and count together."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team
from shop import list_orders

from headroom.integrations.agno import HeadroomAgnoModel

model = HeadroomAgnoModel(OpenAIChat(id="gpt-4o"))
clerk = Agent(name="clerk", id="clerk", role="looks up orders", model=model, tools=[list_orders], telemetry=False)
desk = Team(name="desk", model=model, members=[clerk], telemetry=False)

print(desk.run("What became of ord_7133?").content)
print(model.get_savings_summary())

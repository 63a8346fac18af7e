"""One line: the model that you have, wrapped. The session keeps what the tools said, the model reads less."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from shop import list_orders

from headroom.integrations.agno import HeadroomAgnoModel

model = HeadroomAgnoModel(OpenAIChat(id="gpt-4o"))
agent = Agent(model=model, tools=[list_orders], telemetry=False)

run = agent.run("What became of ord_7133?")
print(run.content)
for tool in run.tools:
    print(tool.tool_name, len(tool.result), "characters in the run")
print(model.total_tokens_saved, "tokens saved")
print(model.get_savings_summary())

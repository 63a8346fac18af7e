"""What did each run save, and which one still sent too much?"""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from shop import list_orders

from headroom.integrations.agno import HeadroomAgnoModel, create_headroom_hooks

before, after = create_headroom_hooks(
    token_alert_threshold=1_000,
    on_alert=lambda report: print(f"alert: {report.name} sent {report.tokens_sent} tokens"),
)
agent = Agent(
    name="clerk",
    model=HeadroomAgnoModel(OpenAIChat(id="gpt-4o")),
    tools=[list_orders],
    pre_hooks=[before],
    post_hooks=[after],
    telemetry=False,
)
agent.run("What became of ord_7133?")
print(after.reports[0])

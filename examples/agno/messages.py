"""Messages without an agent: shorter copies, and what that saves. Needs no model."""

from agno.models.message import Message
from shop import list_orders

from headroom import retrieve
from headroom.integrations.agno import optimize_messages

messages = [
    Message(role="user", content="Which order failed?"),
    Message(role="tool", tool_name="list_orders", tool_call_id="1", content=list_orders(3)),
]
shorter, metrics = optimize_messages(messages, model="gpt-4o")
print(shorter[1].content)
print(metrics)
print(retrieve(metrics["references"][0], query="ord_7133"))

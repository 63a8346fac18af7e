"""Tools whose outputs are short from the start, in any agent. The original stays in the message's artifact."""

from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_openai import ChatOpenAI
from shop import list_orders

from headroom.integrations.langchain import original_content, wrap_tools_with_headroom

tools = wrap_tools_with_headroom([list_orders])  # and headroom_retrieve behind them
agent = create_agent(ChatOpenAI(model="gpt-4o"), tools)
result = agent.invoke({"messages": "What became of order ord_7133?"})

print(result["messages"][-1].text)
for message in result["messages"]:
    if isinstance(message, ToolMessage):
        print(message.name, len(original_content(message)), "->", len(message.content), "characters")

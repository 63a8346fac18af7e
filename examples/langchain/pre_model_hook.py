"""LangGraph's prebuilt agent: a hook before each call of the model."""

import warnings

from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from shop import list_orders

from headroom.integrations.langchain import create_pre_model_hook, create_retrieve_tool

warnings.filterwarnings("ignore", "create_react_agent has been moved")  # new agents use create_agent and the middleware

retrieve_tool = create_retrieve_tool()
hook = create_pre_model_hook(retrieve_tool=retrieve_tool)
agent = create_react_agent(ChatOpenAI(model="gpt-4o"), [list_orders, retrieve_tool], pre_model_hook=hook)
result = agent.invoke({"messages": "What became of order ord_7133?"})

print(result["messages"][-1].text)
print(retrieve_tool.service.savings.summary())

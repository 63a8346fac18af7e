"""An agent whose model reads less: one line. Needs OPENAI_API_KEY (and OPENAI_BASE_URL, if it is not OpenAI's)."""

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from shop import list_orders

from headroom.integrations.langchain import HeadroomMiddleware

headroom = HeadroomMiddleware()
agent = create_agent(ChatOpenAI(model="gpt-4o"), [list_orders], middleware=[headroom], checkpointer=InMemorySaver())
thread = {"configurable": {"thread_id": "1"}}
result = agent.invoke({"messages": "What became of order ord_7133?"}, thread)

print(result["messages"][-1].text)
print("the state holds", max(len(str(message.content)) for message in result["messages"]), "characters of tool output")
print(headroom.savings.summary())

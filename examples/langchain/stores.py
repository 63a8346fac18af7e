"""Originals in the store that your graph already has: any LangGraph store, or LangChainStore for a BaseStore[str, bytes]."""

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.store.memory import InMemoryStore
from shop import list_orders

from headroom.integrations.langchain import HeadroomMiddleware, LangGraphStore

state = InMemoryStore()  # PostgresStore or SqliteStore, where it should outlive the process
headroom = HeadroomMiddleware(store=LangGraphStore(state), namespace="tenant-7")
agent = create_agent(ChatOpenAI(model="gpt-4o"), [list_orders], middleware=[headroom], store=state)

print(agent.invoke({"messages": "What became of order ord_7133?"})["messages"][-1].text)
for item in state.search(("headroom",)):
    print(item.namespace, item.key, item.value["size"], "bytes")

"""What would Headroom save? A handler that watches, and changes nothing."""

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from shop import list_orders

from headroom.integrations.langchain import HeadroomCallbackHandler

handler = HeadroomCallbackHandler()
agent = create_agent(ChatOpenAI(model="gpt-4o"), [list_orders])
agent.invoke({"messages": "What became of order ord_7133?"}, {"callbacks": [handler]})

for run in handler.runs:
    print(f"{run.model}: {run.tokens} tokens, {run.tokens_that_could_be_saved} could be saved")
print(handler.summary())

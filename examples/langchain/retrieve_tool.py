"""A loop of your own: HeadroomRunnable shortens, headroom_retrieve is a tool like any other."""

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from shop import list_orders

from headroom.integrations.langchain import HeadroomRunnable, create_retrieve_tool

retrieve_tool = create_retrieve_tool()
tools = {tool.name: tool for tool in (list_orders, retrieve_tool)}
model = HeadroomRunnable(retrieve_tool=retrieve_tool) | ChatOpenAI(model="gpt-4o").bind_tools(list(tools.values()))

messages = [HumanMessage("What became of order ord_7133?")]
answer = model.invoke(messages)
while answer.tool_calls:
    outputs = [tools[call["name"]].invoke(call) for call in answer.tool_calls]
    messages += [answer, *outputs]
    answer = model.invoke(messages)

print(answer.text)
print(retrieve_tool.service.savings.summary())

"""A chat model that sends less, in a loop without an agent: what was left out comes back when the model asks for it."""

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from shop import list_orders

from headroom.integrations import HeadroomChatModel

llm = HeadroomChatModel(ChatOpenAI(model="gpt-4o"))
llm_with_tools = llm.bind_tools([list_orders])

messages = [HumanMessage("What became of order ord_7133?")]
while True:
    reply = llm_with_tools.invoke(messages)
    messages.append(reply)
    if not reply.tool_calls:
        break
    messages += [list_orders.invoke(call) for call in reply.tool_calls]

print(reply.text)
print("The tool gave", len(messages[2].content), "characters, which the conversation still holds.")
print(llm.get_metrics())

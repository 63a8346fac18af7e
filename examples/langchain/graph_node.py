"""A graph of your own: a node that writes what the model reads beside the messages, which stay whole."""

from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from shop import list_orders

from headroom.integrations.langchain import CompressedMessagesState, create_compress_tool_messages_node, create_retrieve_tool

retrieve_tool = create_retrieve_tool()
tools = [list_orders, retrieve_tool]
model = ChatOpenAI(model="gpt-4o").bind_tools(tools)


def call_model(state: CompressedMessagesState) -> dict:
    return {"messages": [model.invoke(state["llm_input_messages"])]}


graph = StateGraph(CompressedMessagesState)
graph.add_node("compress", create_compress_tool_messages_node(retrieve_tool=retrieve_tool))
graph.add_node("model", call_model)
graph.add_node("tools", ToolNode(tools))
graph.add_edge(START, "compress")
graph.add_edge("compress", "model")
graph.add_conditional_edges("model", tools_condition)
graph.add_edge("tools", "compress")
result = graph.compile().invoke({"messages": "What became of order ord_7133?"})

print(result["messages"][-1].text)
print(retrieve_tool.service.savings.summary())

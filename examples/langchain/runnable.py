"""A chain: prompt | HeadroomRunnable() | model. No tool here, so nothing is left out: JSON becomes a table."""

from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from shop import list_orders

from headroom.integrations.langchain import HeadroomRunnable

prompt = ChatPromptTemplate.from_messages([("system", "You help a shop."), ("human", "Which order is the largest?\n{orders}")])
headroom = HeadroomRunnable()
chain = prompt | headroom | ChatOpenAI(model="gpt-4o")

print(chain.invoke({"orders": list_orders.invoke({"day": 3})}).text)
print(headroom.savings.summary())

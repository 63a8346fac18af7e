"""A chat history that is read shorter than it is kept."""

import warnings

from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_openai import ChatOpenAI
from shop import list_orders

from headroom.integrations.langchain import HeadroomChatMessageHistory

warnings.filterwarnings("ignore", "The class `InMemoryChatMessageHistory` was deprecated")

base = InMemoryChatMessageHistory()
history = HeadroomChatMessageHistory(base)
history.add_user_message(f"Which of these is the largest?\n{list_orders.invoke({'day': 3})}\nTake your time.")
history.add_message(ChatOpenAI(model="gpt-4o").invoke(history.messages))
history.add_user_message("And the smallest?")
history.add_message(ChatOpenAI(model="gpt-4o").invoke(history.messages))

print(history.messages[-1].text)
print("kept:", len(base.messages[0].text), "characters; read:", len(history.messages[0].text))

"""Retrieval: of what a retriever finds, the documents worth reading, and the long ones shorter. Needs no model."""

from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from shop import list_orders

from headroom import retrieve
from headroom.integrations.langchain import HeadroomDocumentCompressor, HeadroomRetriever, create_retrieve_tool

found = [
    Document("The shelf of the warehouse is blue.", id="shelf"),
    Document(list_orders.invoke({"day": 3}), id="orders", metadata={"source": "shop"}),
    Document("Order ord_7133 was shipped on Monday.", id="note"),
]
compressor = HeadroomDocumentCompressor(max_documents=2, prefer_diverse=True, retrieve_tool=create_retrieve_tool())
retriever = HeadroomRetriever(base_retriever=RunnableLambda(lambda query: found), base_compressor=compressor)

for document in retriever.invoke("What became of order ord_7133?"):
    print(document.id, len(document.page_content), document.metadata)
    if "headroom_reference" in document.metadata:
        print(len(retrieve(document.metadata["headroom_reference"])), "characters in the store")

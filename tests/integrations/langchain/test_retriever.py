"""HeadroomRetriever: any retriever, and its documents chosen."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda

from headroom.integrations.langchain import HeadroomDocumentCompressor, HeadroomRetriever
from tests.integrations.langchain.test_documents import ALL, REFUND, SHELF


class Fixed(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return ALL


async def test_the_retriever() -> None:
    seen: list[str] = []

    class Handler(BaseCallbackHandler):
        def on_retriever_start(self, serialized: Any, query: str, *, name: str = "", **_: Any) -> None:
            seen.append(name)

    config: Any = {"callbacks": [Handler()]}
    retriever = HeadroomRetriever(base_retriever=Fixed(), base_compressor=HeadroomDocumentCompressor(max_documents=1))
    assert retriever.invoke("refund five days", config) == [REFUND]
    assert await retriever.ainvoke("refund five days", config) == [REFUND]
    assert seen == ["HeadroomRetriever", "Fixed"] * 2
    assert retriever.batch(["refund five days", "shelf"]) == [[REFUND], [SHELF]]


def test_the_retriever_around_a_runnable_in_a_chain() -> None:
    chain = HeadroomRetriever(base_retriever=RunnableLambda(lambda query: ALL)) | (lambda found: [document.id for document in found])
    assert chain.invoke("shelf")[0] == "s"

"""HeadroomDocumentCompressor and HeadroomRetriever: which documents are read, and what is left of long ones."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from pydantic import ValidationError

from headroom import CompressionService, ConfigError, MemoryStore, retrieve
from headroom.integrations.langchain import HeadroomDocumentCompressor, create_retrieve_tool
from headroom.integrations.langchain.documents import REFERENCE_KEY
from tests.integrations.langchain.agents import LOG, ORDERS

REFUND = Document("A refund takes five days.", id="r", metadata={"page": 1})
AGAIN = Document("A refund takes five days, always.", id="a")
SHELF = Document("The shelf of the warehouse.", id="s")
LATE = Document("A late refund is an error of the bank.", id="l")
ALL = [SHELF, REFUND, AGAIN, LATE]


def chosen(query: str = "how long does a refund take", documents: Any = ALL, **options: Any) -> list[Document]:
    return list(HeadroomDocumentCompressor(**options).compress_documents(documents, query))


def test_best_first_and_the_same_objects() -> None:
    found = chosen("refund of five days")
    assert found[0] is REFUND and found[-1] is SHELF and len(found) == 4
    assert chosen(documents=[]) == []


def test_at_most_and_at_least() -> None:
    assert len(chosen(max_documents=2)) == 2
    assert len(chosen(documents=[REFUND] * 30)) == 10
    assert len(chosen(documents=[REFUND] * 30, max_documents=None)) == 30
    assert SHELF not in chosen("refund", min_relevance=0.1)
    assert chosen("refund", min_relevance=1.0, max_documents=None) != ALL


def test_diverse() -> None:
    assert chosen("refund", max_documents=2) == [REFUND, AGAIN]
    assert chosen("refund", max_documents=2, prefer_diverse=True) == [REFUND, LATE]
    assert chosen("refund", max_documents=2, prefer_diverse=True, relevance_weight=1.0) == [REFUND, AGAIN]


def long_documents() -> list[Document]:
    return [Document(ORDERS, id="o", metadata={"source": "shop"}), Document(LOG, id="l"), REFUND]


async def test_long_documents_are_digested_where_the_model_can_ask_for_the_rest() -> None:
    store = MemoryStore()
    tool = create_retrieve_tool(store=store)
    compressor = HeadroomDocumentCompressor(retrieve_tool=tool)
    for found in (
        compressor.compress_documents(long_documents(), "ord_7133"),
        await compressor.acompress_documents(long_documents(), "ord_7133"),
    ):
        by_id = {document.id: document for document in found}
        orders, log = by_id["o"], by_id["l"]
        assert len(orders.page_content) < len(ORDERS) / 5 and "ord_7133" in orders.page_content
        assert orders.metadata["source"] == "shop" and retrieve(orders.metadata[REFERENCE_KEY], store=store) == ORDERS
        assert "card_8812" in log.page_content and "ord_7133" in tool.invoke({"ref": orders.metadata[REFERENCE_KEY], "query": "ord_7133"})
        assert by_id["r"] is REFUND


def test_without_the_tool_nothing_is_left_out() -> None:
    documents = long_documents()
    found = {document.id: document for document in chosen("ord_7133", documents)}
    assert len(found["o"].page_content) < len(ORDERS)
    assert all(f"ord_{7000 + row}" in found["o"].page_content for row in range(300))
    assert found["o"].metadata == {"source": "shop"}
    assert documents[0].page_content == ORDERS, "the documents given are never changed"


class Letters(Embeddings):
    """Counts three words."""

    calls = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        Letters.calls += 1
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(text.lower().count(word)) for word in ("refund", "shelf", "bank")]


async def test_the_users_embeddings() -> None:
    compressor = HeadroomDocumentCompressor(embeddings=Letters(), min_relevance=0.5, max_documents=3)
    assert list(compressor.compress_documents(ALL, "shelf")) == [SHELF]
    assert next(iter(await compressor.acompress_documents(ALL, "refund bank"))) is LATE
    assert Letters.calls == 2
    diverse = HeadroomDocumentCompressor(embeddings=Letters(), prefer_diverse=True, relevance_weight=0.4, max_documents=2)
    assert list(diverse.compress_documents(ALL, "refund")) == [REFUND, SHELF]


def test_impossible_options_are_errors() -> None:
    for options in ({"max_documents": 0}, {"min_relevance": 1.5}, {"max_document": 3}):
        with pytest.raises(ValidationError):
            HeadroomDocumentCompressor(**options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        HeadroomDocumentCompressor(service=CompressionService(store=MemoryStore()), retrieve_tool=create_retrieve_tool())

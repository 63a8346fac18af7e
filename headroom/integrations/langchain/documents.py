"""`HeadroomDocumentCompressor`: of the documents that a retriever found, the ones worth reading, and the long ones shorter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.embeddings import Embeddings
from pydantic import ConfigDict, Field, PrivateAttr

from headroom import CompressionService, CompressResult
from headroom.integrations.langchain.relevance import Relevance, by_vectors, by_words
from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool
from headroom.integrations.langchain.shortening import Shortener, shortener_for

REFERENCE_KEY = "headroom_reference"
"""In the metadata of a shortened document: what `headroom.retrieve` and the model's tool take."""


class HeadroomDocumentCompressor(BaseDocumentCompressor):
    """Chooses among documents and shortens the long ones; ids and metadata stay, unchanged documents are the same objects.

    Relevance is BM25 with document frequencies counted in the very documents given, or the cosine of `embeddings`.
    Documents come back best first. With `retrieve_tool` (among the tools of the model that reads them) long ones are
    digested and `metadata["headroom_reference"]` leads to the original; without it they are folded only.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    max_documents: int | None = Field(default=10, ge=1)
    """At most so many; None for all."""
    min_relevance: float = Field(default=0.0, ge=0.0, le=1.0)
    """Documents below this are dropped. Words: 1.0 has every word of the query that can be found; vectors: the cosine."""
    prefer_diverse: bool = False
    """Choose by maximal marginal relevance: of two that say the same, the second one waits."""
    relevance_weight: float = Field(default=0.5, ge=0.0, le=1.0)
    """With `prefer_diverse`: the share of relevance; the rest is unlikeness to what was chosen before."""
    embeddings: Embeddings | None = Field(default=None, exclude=True)
    """Used in place of words, if given; called once for the query and once for all documents."""
    retrieve_tool: HeadroomRetrieveTool | None = Field(default=None, exclude=True)
    service: CompressionService | None = Field(default=None, exclude=True)
    _shortener: Shortener = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """ConfigError if tool and service contradict each other."""
        super().model_post_init(context)
        self._shortener = shortener_for(self.service, self.retrieve_tool, {})

    def compress_documents(self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None) -> Sequence[Document]:
        """The documents worth reading, best first. Trouble with `embeddings` is the caller's and raised."""
        if self.embeddings is None or not documents:
            relevance = by_words([document.page_content for document in documents], query)
        else:
            texts = [document.page_content for document in documents]
            relevance = by_vectors(self.embeddings.embed_documents(texts), self.embeddings.embed_query(query))
        chosen = self._chosen(documents, relevance)
        return [self._shorter(document, query) for document in chosen]

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The same; the embeddings are asked asynchronously."""
        if self.embeddings is None or not documents:
            return await super().acompress_documents(documents, query, callbacks)
        texts = [document.page_content for document in documents]
        relevance = by_vectors(await self.embeddings.aembed_documents(texts), await self.embeddings.aembed_query(query))
        return [await self._ashorter(document, query) for document in self._chosen(documents, relevance)]

    def _chosen(self, documents: Sequence[Document], relevance: Relevance) -> list[Document]:
        most = len(documents) if self.max_documents is None else self.max_documents
        worth = [index for index in range(len(documents)) if relevance.scores[index] >= self.min_relevance]
        left = Relevance([relevance.scores[index] for index in worth], [relevance.vectors[index] for index in worth])
        order = left.diverse_order(most, self.relevance_weight) if self.prefer_diverse else left.order()[:most]
        return [documents[worth[index]] for index in order]

    def _shorter(self, document: Document, query: str) -> Document:
        shortener = self._shortener
        return _with_result(document, shortener.service.compress(_as_output(document, query), lossless=shortener.lossless))

    async def _ashorter(self, document: Document, query: str) -> Document:
        shortener = self._shortener
        return _with_result(document, await shortener.service.acompress(_as_output(document, query), lossless=shortener.lossless))


def _as_output(document: Document, query: str) -> list[dict[str, Any]]:
    """A document as what a search for `query` gave. Each by itself: whether its neighbours are shown, nobody knows here."""
    call = {"id": "search", "type": "function", "function": {"name": "search_documents", "arguments": query}}
    return [
        {"role": "user", "content": query},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "search", "content": document.page_content},
    ]


def _with_result(document: Document, result: CompressResult | None) -> Document:
    if result is None:
        return document
    block = result.blocks[-1]
    if not block.changed:
        return document
    metadata = document.metadata if block.reference is None else {**document.metadata, REFERENCE_KEY: block.reference}
    return document.model_copy(update={"page_content": block.after, "metadata": metadata})

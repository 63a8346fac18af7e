"""`HeadroomRetriever`: any retriever, and its documents chosen and shortened."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, Field

from headroom.integrations.langchain.documents import HeadroomDocumentCompressor


class HeadroomRetriever(BaseRetriever):
    """A retriever around `base_retriever` (or any runnable from a str to documents). Needs langchain-core alone.

    `base_compressor` is a HeadroomDocumentCompressor unless told otherwise.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    base_retriever: Runnable[str, list[Document]]
    base_compressor: BaseDocumentCompressor = Field(default_factory=HeadroomDocumentCompressor)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any) -> list[Document]:
        found = self.base_retriever.invoke(query, config={"callbacks": run_manager.get_child()}, **options)
        return list(self.base_compressor.compress_documents(found, query, callbacks=run_manager.get_child()))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        found = await self.base_retriever.ainvoke(query, config={"callbacks": run_manager.get_child()}, **options)
        return list(await self.base_compressor.acompress_documents(found, query, callbacks=run_manager.get_child()))

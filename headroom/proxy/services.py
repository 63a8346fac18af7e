"""A CompressionService for each caller, all of them counting into one account."""

from __future__ import annotations

import threading
from collections import OrderedDict

from headroom import CompressConfig, CompressionService, CompressionStore, Savings

MOST_SERVICES = 200


class Services:
    """Found by namespace; the ones not asked for lately are made anew. They share `store` and `savings`."""

    def __init__(self, config: CompressConfig, store: CompressionStore | None, *, lossless: bool) -> None:
        self.savings = Savings()
        self._config = config
        self._store = store
        self._lossless = lossless
        self._lock = threading.Lock()
        self._services: OrderedDict[str, CompressionService] = OrderedDict()

    def of(self, namespace: str) -> CompressionService:
        """The service that keeps originals in `namespace`."""
        with self._lock:
            service = self._services.get(namespace)
            if service is None:
                service = self._made(namespace)
                self._services[namespace] = service
                if len(self._services) > MOST_SERVICES:
                    self._services.popitem(last=False)
            self._services.move_to_end(namespace)
            return service

    def unaccounted(self, namespace: str) -> CompressionService:
        """One whose work is in no account: a request that is only asked about saves nothing."""
        return CompressionService(config=self._config.with_options(namespace=namespace), store=self._store, lossless=self._lossless)

    def _made(self, namespace: str) -> CompressionService:
        config = self._config.with_options(namespace=namespace)
        service = CompressionService(config=config, store=self._store, lossless=self._lossless)
        service.savings = self.savings
        return service

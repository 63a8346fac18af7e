"""Every error that Headroom raises on purpose.

HeadroomError
├── ConfigError             an option that does not exist, or a value it cannot have (also a TypeError)
├── FormatError             a message that no wire format describes; names its index and field
├── UnknownReferenceError   a reference that no original answers to (also a KeyError)
├── StoreError              the store could not do what was asked
│   └── StoreFullError      the text does not fit, even after evicting everything that may go
└── MissingDependencyError  an optional package is not installed; names the command that installs it
"""

from __future__ import annotations


class HeadroomError(Exception):
    """The root: `except HeadroomError` catches everything below and nothing else."""


class ConfigError(HeadroomError, TypeError):
    """An unknown option or an impossible value. The message names the nearest valid option."""


class FormatError(HeadroomError, ValueError):
    """A message that cannot be read. `index` is its place in the list (None: the list itself), `field` the offending key."""

    def __init__(self, index: int | None, field: str | None, problem: str) -> None:
        where = "messages" if index is None else f"messages[{index}]" + (f".{field}" if field else "")
        super().__init__(f"{where}: {problem}")
        self.index = index
        self.field = field


class UnknownReferenceError(HeadroomError, KeyError):
    """No original is stored under this reference in this namespace: never written, expired, or evicted."""

    def __init__(self, reference: str, namespace: str) -> None:
        super().__init__(reference)
        self.reference = reference
        self.namespace = namespace

    def __str__(self) -> str:
        return f"no original is stored under {self.reference!r} in namespace {self.namespace!r}: it expired, was evicted, or never existed"


class StoreError(HeadroomError):
    """The store failed. `compress()` never lets this escape: it sends the originals and says so."""


class StoreFullError(StoreError):
    """The text is larger than the store's whole size limit."""


class MissingDependencyError(HeadroomError, ImportError):
    """An optional package is absent."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'headroom-ai[{extra}]'")
        self.package = package
        self.extra = extra

"""Four places where the caller's own code may take part. What a hook raises reaches the caller: it is their code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headroom.core.errors import ConfigError
from headroom.core.types import Message

if TYPE_CHECKING:
    from headroom.core.result import CompressResult


@dataclass(frozen=True, slots=True)
class CompressContext:
    """What is known before anything is compressed."""

    model: str = ""
    user_query: str = ""
    """The words of the newest user message."""
    turn_number: int = 0
    """How many assistant turns the conversation holds; the next one is `turn_number + 1`."""
    tool_calls: list[str] = field(default_factory=list)
    """The names of the tools called so far, in order."""
    provider: str = ""
    """"anthropic", "openai", "google", ...: read from the model's name, else from the messages' format."""


class CompressEvent:
    """What happened: handed to `post_compress`. Token counts are taken when first read."""

    def __init__(self, result: CompressResult, context: CompressContext) -> None:
        self.result = result
        self.model = context.model
        self.user_query = context.user_query
        self.provider = context.provider

    @property
    def tokens_before(self) -> int:
        """Tokens of the conversation as it came."""
        return self.result.tokens_before

    @property
    def tokens_after(self) -> int:
        """Tokens of the conversation as it leaves."""
        return self.result.tokens_after

    @property
    def tokens_saved(self) -> int:
        """The difference."""
        return self.result.tokens_saved

    @property
    def compression_ratio(self) -> float:
        """Share of tokens removed: 0.0 nothing, 1.0 everything."""
        return self.result.compression_ratio

    @property
    def transforms_applied(self) -> list[str]:
        """What ran, e.g. ["router:json_records:0.35"]."""
        return self.result.transforms_applied

    @property
    def references(self) -> list[str]:
        """The references of all originals that the conversation's markers point to."""
        return self.result.references


class CompressionHooks:
    """Override what you need; each method as it stands does nothing."""

    def pre_compress(self, messages: list[Message], ctx: CompressContext) -> list[Message]:
        """See the messages first; return them, or other ones to compress in their place. Never change them in place."""
        return messages

    def redact(self, text: str) -> str:
        """A tool's output or a user's text without what nobody may keep; called before it is read, stored or shortened.

        What this returns takes the text's place everywhere: in the store, in what is retrieved, in what the model
        reads, whether or not it is then shortened. Nothing else is ever stored. It must depend on the text alone, and
        find nothing more in its own result: the same text is redacted again in every turn, and what comes back from
        the store too. If it raises, so does compress(); integrations withhold the text, in plain sight of the model.
        """
        return text

    def compute_biases(self, messages: list[Message], ctx: CompressContext) -> dict[int, float]:
        """How firmly to compress, by message index: above 1.0 keeps more, below 1.0 compresses more, infinity keeps all.

        A bias multiplies the message's budget. Give the same message the same bias in every turn: one that changes
        rewrites an old message and costs the provider's prefix cache.
        """
        return {}

    def post_compress(self, event: CompressEvent) -> None:
        """Look at what happened."""


def checked_hooks(hooks: CompressionHooks | None) -> CompressionHooks | None:
    """`hooks`, if that is what they are; else ConfigError."""
    if hooks is None or all(callable(getattr(hooks, name, None)) for name in ("pre_compress", "compute_biases", "post_compress")):
        return hooks
    raise ConfigError(f"hooks must be CompressionHooks (pre_compress, compute_biases, post_compress), not {hooks!r}")

"""compress(): the way of one message, from split to join. Read this first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headroom.core import marker, protect, shorten
from headroom.core.config import CompressConfig
from headroom.core.conversation import Conversation, Outcome
from headroom.core.errors import ConfigError, FormatError
from headroom.core.hooks import CompressEvent, CompressionHooks
from headroom.core.keep import Kept, keep
from headroom.core.messages import join, split
from headroom.core.remembered import RememberedConversations
from headroom.core.result import BlockReport, CompressResult
from headroom.core.store import default_store
from headroom.core.store.base import CompressionStore, reference_for
from headroom.core.tokens import encoding_for, estimate, surely_smaller
from headroom.core.types import ContentBlock, Message

_remembered = RememberedConversations()
NOTHING_TO_SAVE = "nothing to save"
NOT_SMALLER = "not smaller"
FOLD_MARKER_LEAST_TOKENS = 150
"""A fold that needs no word (minified JSON) names its original only where it saves this much: a marker has a price."""


def compress(
    messages: Sequence[Message],
    model: str = "gpt-4o",
    *,
    hooks: CompressionHooks | None = None,
    config: CompressConfig | None = None,
    store: CompressionStore | None = None,
    lossless: bool = False,
    **options: Any,
) -> CompressResult:
    """Shorten what the tools said, keep every original within reach, change nothing else.

    `messages`: OpenAI chat messages, Anthropic messages or OpenAI Responses items; never changed in place.
    `model`: decides how tokens are counted, and nothing about the text.
    `hooks`: the caller's own code, see `CompressionHooks`.
    `config`, `options`: a `CompressConfig`, and fields of it to override (`namespace="tenant-7"`).
    `store`: where originals go; by default one SQLite file in the user's data folder (HEADROOM_HOME moves it).
    `lossless`: fold only; nothing is left out, no tool is needed, nothing is stored.

    Raises FormatError for a malformed message, ConfigError for an unknown option, and whatever a hook raises.
    Trouble of our own (a compressor, the store) never raises: that text stays as it was, and its report says why.
    """
    settings = (CompressConfig.from_env() if config is None else config).with_options(**options)
    encoding, _ = encoding_for(_model_name(model))
    originals = _as_list(messages)
    biases: dict[int, float] = {}
    if hooks is not None:
        context = _read_all(originals).context(model)
        originals = _as_list(hooks.pre_compress(originals, context))
        biases = _checked_biases(hooks.compute_biases(originals, context))

    key = (settings, lossless, encoding)
    conversation = _recall(key, originals, biases)
    try:
        for index in range(len(conversation), len(originals)):
            _read_on(conversation, originals[index], biases.get(index, 1.0), settings, lossless, encoding)
        kept = keep(conversation, settings.namespace, default_store if store is None else store)
        if kept.renamed:
            _rename(conversation, kept.renamed)
        result = _result(conversation, originals, model, kept)
    finally:
        _remembered.give(key, conversation)
    if hooks is not None:
        hooks.post_compress(CompressEvent(result, context))
    return result


def _recall(key: object, messages: list[Message], biases: dict[int, float]) -> Conversation:
    """The conversation as far as an earlier call has read it, or a new one."""
    match = _remembered.take(key, messages, biases)
    if match is None:
        return Conversation()
    if match.length == len(match.conversation):
        return match.conversation
    branch = Conversation()  # these messages leave a known path: replay the shared part, whose outcomes are known
    for index in range(match.length):
        parts = split(index, messages[index])
        branch.hear(parts)
        branch.remember(messages[index], match.conversation.biases[index], parts, match.conversation.outcomes[index])
    return branch


def _read_all(messages: list[Message]) -> Conversation:
    """The context alone, for hooks."""
    conversation = Conversation()
    for index, message in enumerate(messages):
        conversation.hear(split(index, message))
    return conversation


def _read_on(conversation: Conversation, message: Message, bias: float, settings: CompressConfig, lossless: bool, encoding: str) -> None:
    """The way of one message: split, protect, shorten, weigh, mark."""
    parts = split(len(conversation), message)
    conversation.hear(parts)
    outcome = Outcome()
    for block in parts.blocks:
        report = _read_block(conversation, block, bias, settings, lossless, encoding)
        outcome.reports.append(report)
        if report.changed:
            outcome.replacements.append((block.path, report.after))
    conversation.remember(message, bias, parts, outcome)


def _read_block(
    conversation: Conversation, block: ContentBlock, bias: float, settings: CompressConfig, lossless: bool, encoding: str
) -> BlockReport:
    call = conversation.call_of(block)
    protection = protect.protection_of(block, call, bias, settings)
    if protection is not None:
        ours = protection.marker
        reference, lossy = (ours.reference, ours.lossy) if ours else (None, False)
        return BlockReport(block, block.text, reason=protection.reason, reference=reference, lossy=lossy, encoding=encoding)

    at_least = settings.whole_limit_tokens if conversation.asks_again(call) else 0
    request_for = shorten.requests(conversation.query_for(call), settings, bias=bias, lossless=lossless, at_least=at_least)
    if block.role == "user":
        attempt = shorten.shorten_user_text(block.text, request_for, settings.user_span_tokens)
    else:
        attempt = shorten.shorten_output(block.text, request_for)
        if not at_least:
            attempt = shorten.fold_rereads(attempt, conversation.visible)
    if attempt.shortened is None:
        reason = f"failed: {attempt.failure}" if attempt.failure else NOTHING_TO_SAVE
        return BlockReport(block, block.text, kind=attempt.kind, reason=reason, encoding=encoding)

    text, reference = _marked(block.text, attempt, settings.namespace, lossless)
    if not surely_smaller(block.text, text, same_words=not attempt.shortened.note):
        return BlockReport(block, block.text, kind=attempt.kind, reason=NOT_SMALLER, encoding=encoding)
    note, lossy = attempt.shortened.note, attempt.shortened.lossy
    return BlockReport(block, text, kind=attempt.kind, reference=reference, lossy=lossy, note=note, encoding=encoding)


def _marked(original: str, attempt: shorten.Attempt, namespace: str, lossless: bool) -> tuple[str, str | None]:
    """The text that leaves, its marker in place and sealed; and the reference of the original, if the marker names it."""
    shortened = attempt.shortened
    assert shortened is not None
    saved = estimate(original) - estimate(shortened.text)
    reference = None
    if lossless:
        assert not shortened.lossy
    elif shortened.lossy or attempt.points_back or saved >= FOLD_MARKER_LEAST_TOKENS:
        reference = reference_for(original, namespace)
    text = shortened.text
    if reference is not None or shortened.note:
        line = marker.write(shortened.note or "shortened without loss", reference, shortened.lossy)
        at = len(text) if attempt.marker_at < 0 else attempt.marker_at
        text = f"{text[:at]}\n{line}{text[at:]}"
        text = attempt.wrap(text) if attempt.wrap else text
        return marker.seal(text, reference), reference
    return attempt.wrap(text) if attempt.wrap else text, None


def _rename(conversation: Conversation, renamed: dict[str, str]) -> None:
    """Write the longer references, which the store gave where two texts share a key, into the texts that leave."""
    for outcome in conversation.outcomes:
        outcome.reports = [
            report.with_reference(renamed[report.reference]) if report.changed and report.reference in renamed else report
            for report in outcome.reports
        ]
        outcome.replacements = [(report.path, report.after) for report in outcome.reports if report.changed]
    conversation.reports = [report for outcome in conversation.outcomes for report in outcome.reports]
    conversation.originals = {renamed.get(reference, reference): text for reference, text in conversation.originals.items()}


def _result(conversation: Conversation, messages: list[Message], model: str, kept: Kept) -> CompressResult:
    """Join: the texts go back to their places; everything else is the caller's own object."""
    out = list(messages)
    reports = list(conversation.reports)
    if kept.failure:
        reports = [report.reverted(f"failed: store: {kept.failure}") if report.stored else report for report in reports]
    for index in conversation.changed:
        replacements = conversation.outcomes[index].replacements
        if kept.failure:
            folds = {report.path for report in conversation.outcomes[index].reports if not report.stored}
            replacements = [(path, text) for path, text in replacements if path in folds]
        if replacements:
            out[index] = join(messages[index], replacements)
    return CompressResult(out, reports, model, messages, kept.held)


def _as_list(messages: object) -> list[Message]:
    if isinstance(messages, (list, tuple)):
        return list(messages)
    raise FormatError(None, None, f"must be a list of messages (dicts), not {type(messages).__name__}")


def _model_name(model: object) -> str:
    if isinstance(model, str):
        return model
    raise ConfigError(f"model must be a str, e.g. 'gpt-4o', not {model!r}")


def _checked_biases(biases: object) -> dict[int, float]:
    if not isinstance(biases, dict):
        raise ConfigError(f"compute_biases must return a dict of message index -> bias, not {type(biases).__name__}")
    for index, bias in biases.items():
        if not isinstance(index, int) or not isinstance(bias, (int, float)) or not bias >= 0:
            raise ConfigError(f"compute_biases: {index!r}: {bias!r} is not a message index and a bias of 0 or more")
    return biases

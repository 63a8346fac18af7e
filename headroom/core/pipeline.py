"""compress(): the way of one message, from split to join. Read this first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headroom.core import marker, protect, shorten
from headroom.core.config import CompressConfig
from headroom.core.conversation import Conversation, Outcome
from headroom.core.errors import ConfigError, FormatError
from headroom.core.hooks import CompressEvent, CompressionHooks, checked_hooks
from headroom.core.keep import Kept, keep
from headroom.core.messages import TOO_DEEP, join, split
from headroom.core.redaction import redacted
from headroom.core.remembered import RememberedConversations
from headroom.core.rereads import VisibleLines
from headroom.core.result import BlockReport, CompressResult
from headroom.core.store import default_store
from headroom.core.store.base import CompressionStore, reference_for
from headroom.core.tokens import encoding_for, estimate, surely_smaller
from headroom.core.types import ContentBlock, Message, Path

_remembered = RememberedConversations()
NOTHING_TO_SAVE = "nothing to save"
NOT_SMALLER = "not smaller"
LOOK_ALIKES = "its own look-alikes of markers would hide ours"
FOLD_MARKER_LEAST_TOKENS = 150
"""A fold that needs no word (minified JSON) names its original only where it saves this much: a marker has a price."""

MOST_STEPS = 3
"""A fold that needs no marker may open the way for another one: minified JSON for counted lines."""


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
    settings = _settings(config, options)
    encoding, _ = encoding_for(_model_name(model))
    originals = _as_list(messages)
    biases: dict[int, float] = {}
    redactions: frozenset[Path] = frozenset()
    hooks = checked_hooks(hooks)
    if hooks is not None:
        context = _read_all(originals).context(model)
        originals, redactions = redacted(_as_list(hooks.pre_compress(originals, context)), hooks)
        biases = _checked_biases(hooks.compute_biases(originals, context))

    key = (settings, lossless, encoding)
    conversation = _recall(key, originals, biases, lossless)
    try:
        for index in range(len(conversation), len(originals)):
            _read_on(conversation, originals[index], biases.get(index, 1.0), settings, lossless, encoding)
    except FormatError:
        _remembered.give(key, conversation)  # the messages before are sound; after any other interruption nothing is
        raise
    except RecursionError:
        raise FormatError(len(conversation), None, TOO_DEEP) from None
    kept = keep(conversation, settings.namespace, default_store if store is None else store)
    if kept.renamed:
        _rename(conversation, kept.renamed)
    result = _result(conversation, originals, model, kept, redactions)
    _remembered.give(key, conversation)
    if hooks is not None:
        hooks.post_compress(CompressEvent(result, context))
    return result


def _recall(key: object, messages: list[Message], biases: dict[int, float], lossless: bool) -> Conversation:
    """The conversation as far as an earlier call has read it, or a new one."""
    match = _remembered.take(key, messages, biases)
    if match is not None and match.length == len(match.conversation):
        return match.conversation
    branch = Conversation(visible=VisibleLines(exact=lossless))
    if match is None:
        return branch
    # these messages leave a known path: replay the shared part, whose outcomes are known
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

    again = conversation.asks_again(call)
    at_least = settings.whole_limit_tokens if again else 0
    request_for = shorten.requests(conversation.query_for(call), settings, bias=bias, lossless=lossless, at_least=at_least)

    def attempt(text: str) -> shorten.Attempt:
        if block.role == "user":
            return shorten.shorten_user_text(text, request_for, settings.user_span_tokens)
        return shorten.shorten_output(text, request_for, None if again else conversation.visible)

    return _settle(block, attempt, settings, lossless, encoding)


def _settle(
    block: ContentBlock, attempt: Callable[[str], shorten.Attempt], settings: CompressConfig, lossless: bool, encoding: str
) -> BlockReport:
    """Shorten until there is a marker, or nothing more to save: what leaves would come out the same again."""
    text, kind, reason = block.text, "", NOTHING_TO_SAVE
    for _ in range(MOST_STEPS):
        step = attempt(text)
        kind = kind or step.kind
        if step.shortened is None:
            reason = f"failed: {step.failure}" if step.failure else NOTHING_TO_SAVE
            break
        after, reference = _marked(block.text, text, step, settings.namespace, lossless)
        marked = reference is not None or bool(step.shortened.note)
        if not surely_smaller(text, after, same_words=not marked, saved_at_least=step.shortened.saved_at_least):
            reason = NOT_SMALLER
            break
        if marked:
            note, lossy = step.shortened.note, step.shortened.lossy
            if marker.find(after) != marker.Marker(reference, lossy):  # then it would not be left alone the next time
                return BlockReport(block, block.text, kind=step.kind, reason=LOOK_ALIKES, encoding=encoding)
            return BlockReport(block, after, kind=step.kind, reference=reference, lossy=lossy, note=note, encoding=encoding)
        text, kind = after, step.kind
        if estimate(text) < (settings.min_tokens if block.role == "tool" else settings.user_span_tokens):
            break
    if text is block.text:
        return BlockReport(block, text, kind=kind, reason=reason, encoding=encoding)
    return BlockReport(block, text, kind=kind, encoding=encoding)


def _marked(original: str, text: str, attempt: shorten.Attempt, namespace: str, lossless: bool) -> tuple[str, str | None]:
    """What leaves in place of `text`, its marker sealed; and the reference of the original, if the marker names it."""
    shortened = attempt.shortened
    assert shortened is not None
    saved = estimate(text) - estimate(shortened.text)
    named = not lossless and (shortened.lossy or shortened.implied or attempt.points_back or saved >= FOLD_MARKER_LEAST_TOKENS)
    assert named or not shortened.lossy
    after = shortened.text
    if not named and not shortened.note:
        return attempt.wrap(after) if attempt.wrap else after, None
    reference = reference_for(original, namespace)
    line = marker.write(shortened.note or "shortened without loss", reference, shortened.lossy, named=named)
    at = len(after) if attempt.marker_at < 0 else attempt.marker_at
    after = f"{after[:at]}\n{line}{after[at:]}"
    after = attempt.wrap(after) if attempt.wrap else after
    return marker.seal(after, reference, named=named), reference if named else None


def _rename(conversation: Conversation, renamed: dict[str, str]) -> None:
    """Write the longer references, which the store gave where two texts share a key, into the texts that leave."""
    outcomes = []
    for outcome in conversation.outcomes:  # new ones: a branch of this conversation may share the old
        reports = [
            report.with_reference(renamed[report.reference]) if report.changed and report.reference in renamed else report
            for report in outcome.reports
        ]
        outcomes.append(Outcome(reports, [(report.path, report.after) for report in reports if report.changed]))
    conversation.outcomes = outcomes
    conversation.reports = [report for outcome in conversation.outcomes for report in outcome.reports]
    conversation.originals = {renamed.get(reference, reference): text for reference, text in conversation.originals.items()}


def _result(conversation: Conversation, messages: list[Message], model: str, kept: Kept, redactions: frozenset[Path]) -> CompressResult:
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
    if redactions:
        reports = [report.as_redacted() if report.path in redactions else report for report in reports]
    return CompressResult(out, reports, model, list(conversation.messages), kept.held)


def _settings(config: CompressConfig | None, options: dict[str, Any]) -> CompressConfig:
    if config is not None and not isinstance(config, CompressConfig):
        raise ConfigError(f"config must be a CompressConfig, e.g. CompressConfig.preset('firm'), not {config!r}")
    CompressConfig.check_names(options, also=("hooks", "config", "store", "lossless"))
    return (CompressConfig.from_env() if config is None else config).with_options(**options)


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

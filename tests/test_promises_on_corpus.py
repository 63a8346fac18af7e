"""The promises over recorded sessions and real tool outputs, where they lie beside the checkout (`../shared/corpus`).

Without them the same properties run over generated conversations, so that nothing is ever skipped. Every file is
read: a few sessions of each source, the same on every run, and every single output, long ones cut.
"""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from headroom import CompressConfig, MemoryStore, compress
from headroom.core import marker, pipeline
from headroom.core.tokens import count
from tests.conversations import FORMATS, call_and_output, text_at, texts_at

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
SESSIONS_A_SOURCE = 6
MOST_CHARACTERS = 60_000
MODEL = "gpt-4o"
PRESETS = ("balanced", "firm")


def spread(items: list[Any], most: int) -> list[Any]:
    """`most` of the items, evenly spread."""
    return items if len(items) <= most else [items[i * len(items) // most] for i in range(most)]


def recorded_sessions() -> list[Any]:
    """(source and number, messages) of the sample."""
    found = []
    for path in sorted(CORPUS.glob("sessions/*.jsonl")):
        lines = spread(path.read_text("utf-8").splitlines(), SESSIONS_A_SOURCE)
        found += [pytest.param(json.loads(line)["messages"], id=f"{path.stem}-{i}") for i, line in enumerate(lines)]
    return found


def recorded_outputs() -> list[Any]:
    """Files of the sample, so many of each kind."""
    folders = sorted(folder for folder in CORPUS.glob("outputs/*") if folder.is_dir())
    return [pytest.param(path, id=f"{path.parent.name}-{path.name}") for folder in folders for path in sorted(folder.iterdir())]


def generated_outputs() -> list[str]:
    """What an agent of a shop reads, made up."""
    orders = [{"id": f"ord_{i}", "status": "failed" if i % 90 == 7 else "ok", "note": f"note {i * 37 % 101}"} for i in range(300)]
    log = [
        f"10:{i // 60:02d}:{i % 60:02d} {'ERROR' if i % 97 == 5 else 'INFO'} worker-{i % 7} handled {i * 7919 % 10007}" for i in range(600)
    ]
    code = [f"{i + 1:6}\t" + (f"def step_{i}(order):" if i % 8 == 0 else f"    total_{i} = order.price * {i}") for i in range(300)]
    return [
        json.dumps(orders),
        json.dumps({"text": json.dumps(orders[:80], indent=2)}),
        "\n".join(log),
        "\n".join(code),
        "\n".join(code[40:260]),
    ]


def generated_session() -> list[Any]:
    messages: list[Any] = [{"role": "system", "content": "Be careful."}, {"role": "user", "content": "why did ord_97 fail?"}]
    for number, text in enumerate([*generated_outputs(), generated_outputs()[0]]):
        messages += call_and_output("openai", number, "read", json.dumps({"n": number % 5}), [text], "Let me look.")
    return messages


def fresh(messages: list[Any], **options: Any) -> Any:
    pipeline._remembered.clear()
    return compress(messages, MODEL, **{"store": MemoryStore(), **options})


def chance(text: str, most: int) -> int:
    """A number below `most` that belongs to this text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big") % most


def check_promises(messages: list[Any], preset: Any) -> None:
    before, store, config = copy.deepcopy(messages), MemoryStore(), CompressConfig.preset(preset)
    result = fresh(messages, store=store, config=config)
    assert messages == before, "inputs are never mutated"
    check_shape(messages, result)
    for report in result.blocks:
        assert not report.failed, report.reason
        if report.changed:
            assert count(report.after) < count(report.before), "never larger"
            assert report.reference is not None or not report.lossy
        if report.changed and report.reference is not None:
            assert store.get(report.reference) == report.before, "exact retrieval"
            assert marker.find(report.after) == marker.Marker(report.reference, report.lossy)
    assert fresh(result.messages, store=store, config=config).messages == result.messages, "idempotent"
    for n in {chance(json.dumps(messages[0]) + str(i), len(messages) + 1) for i in range(2)}:
        assert fresh(messages[:n], config=config).messages == result.messages[:n], "causal"


def check_shape(messages: list[Any], result: Any) -> None:
    old: dict[Any, str] = {}
    new: dict[Any, str] = {}
    texts_at(messages, old.__setitem__)
    texts_at(result.messages, new.__setitem__)
    assert list(old) == list(new), "same fields, same order"
    changed = {report.path for report in result.blocks if report.changed}
    assert {path for path in old if old[path] != new[path]} == changed
    for index, message in enumerate(messages):
        if message.get("role") in ("system", "developer", "assistant") or all(path[0] != index for path in changed):
            assert result.messages[index] is message, "sacred, or untouched: the same object"
    for report in result.blocks:
        assert (text_at(messages, report.path), text_at(result.messages, report.path)) == (report.before, report.after)


@pytest.mark.parametrize("messages", recorded_sessions() or [pytest.param(generated_session(), id="generated")])
def test_a_recorded_session(messages: list[Any]) -> None:
    check_promises(messages, "balanced")


@pytest.mark.parametrize("path", recorded_outputs() or [pytest.param(Path(__file__), id="this file")])
def test_a_recorded_output(path: Path) -> None:
    text = path.read_bytes()[:MOST_CHARACTERS].decode("utf-8", "replace")
    dialect = FORMATS[chance(path.name, len(FORMATS))]
    check_promises(call_and_output(dialect, 1, "read", '{"path": "a"}', [text], ""), PRESETS[chance(path.name, len(PRESETS))])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_generated_session(preset: str) -> None:
    check_promises(generated_session(), preset)


@pytest.mark.parametrize("dialect", FORMATS)
@pytest.mark.parametrize("number", range(5))
def test_a_generated_output(number: int, dialect: str) -> None:
    messages = call_and_output(dialect, 1, "read", '{"path": "a"}', [generated_outputs()[number]], "")
    check_promises(messages, "firm")
    assert fresh(messages, config=CompressConfig.preset("firm")).tokens_saved > 0

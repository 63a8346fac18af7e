"""The command line: what stdout and stderr carry, the exit codes, and that no byte is lost on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import headroom
from headroom import MemoryStore, SQLiteStore, cli
from headroom.documents import read_document

COMMAND = (sys.executable, "-c", "import sys; from headroom.cli import app; sys.argv[0] = 'headroom'; app()")
LOG = "".join(f"2026-03-01T10:{i // 60:02d}:{i % 60:02d}Z INFO handled request {i} in {i % 7} ms\n" for i in range(2_000))
ROWS = json.dumps([{"id": f"ord_{i}", "role": "buyer", "status": "open" if i == 417 else "paid"} for i in range(500)])
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Which order is open?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "list", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "a", "content": ROWS},
]


def run(*arguments: str, data: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli.app, arguments, input=data)


def spawn(*arguments: str, data: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], input=data, capture_output=True, check=False, env={**os.environ, **environment})


def reference_in(text: str) -> str:
    return text.rpartition("headroom_retrieve ref=")[2].partition("]")[0]


def test_a_tool_output_and_back_in_real_processes() -> None:
    done = spawn("compress", "-", data=LOG.encode())
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) < len(LOG) / 2
    assert b"logs" in done.stderr and b"whole conversation" in done.stderr
    back = spawn("retrieve", reference_in(done.stdout.decode()))
    assert (back.returncode, back.stdout, back.stderr) == (0, LOG.encode(), b"")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    big = tmp_path / "big.log"
    big.write_text(LOG * 40, encoding="utf-8")
    reference = reference_in(spawn("compress", str(big)).stdout.decode())
    with subprocess.Popen([*COMMAND, "retrieve", reference], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00binary\x80" * 900, b"caf\xe9 au lait, line\r\n" * 700, b"", b"\n", b"\xef\xbb\xbfbom", b"[1, 2", b'{"messages": 5}'],
    ids=["binary", "latin-1", "empty", "newline", "bom", "broken json", "no list"],
)
def test_no_byte_is_lost(data: bytes) -> None:
    done = run("compress", "-", data=data)
    assert done.exit_code == 0, done.stderr
    if done.stdout_bytes != data:
        back = run("retrieve", reference_in(done.stdout_bytes.decode("utf-8", "replace")))
        assert back.stdout_bytes == data


def test_messages_come_back_as_a_list() -> None:
    done = run("compress", "-", "--model", "gpt-4", data=json.dumps(MESSAGES))
    out = json.loads(done.stdout)
    assert out[:2] == MESSAGES[:2]
    assert len(out[2]["content"]) < len(ROWS) / 2
    assert headroom.compress(MESSAGES, "gpt-4").messages == out, "the command says what the library says"


@pytest.mark.parametrize("key", ["messages", "input"])
def test_an_object_keeps_what_is_around_its_messages(key: str) -> None:
    body = '{"model": "gpt-4o", "temperature": 1.10, "seed": 12345678901234567890123, "%s": %s, "tools": []}'
    done = run("compress", "-", data=body % (key, json.dumps(MESSAGES)))
    assert '"temperature": 1.10, "seed": 12345678901234567890123, ' in done.stdout
    out = json.loads(done.stdout)
    assert list(out) == ["model", "temperature", "seed", key, "tools"]
    assert out[key][2]["content"] != ROWS


def test_rows_that_have_a_role_are_no_messages() -> None:
    done = run("compress", "-", data=ROWS)
    assert done.exit_code == 0
    assert "headroom_retrieve" in done.stdout


def test_text_option_takes_messages_for_an_output() -> None:
    data = json.dumps([{"role": "user", "content": f"message {i}"} for i in range(400)])
    assert json.loads(run("compress", "-", data=data).stdout) == json.loads(data)
    assert "headroom_retrieve" in run("compress", "-", "--text", data=data).stdout


@pytest.mark.parametrize("escape", [r"\ud800", r"\udc80", "🙂", "\u2028", r"\u0000"])
def test_strings_survive(escape: str) -> None:
    data = f'[{{"role": "user", "content": "a {escape} b"}}]'
    assert json.loads(run("compress", "-", data=data).stdout_bytes) == json.loads(data)


def test_bytes_that_are_no_utf8_survive_inside_messages() -> None:
    data = b'[{"role": "user", "content": "caf\xe9"}]'
    assert run("compress", "-", data=data).stdout_bytes == data + b"\n"


def test_lossless_leaves_nothing_out_and_stores_nothing(store_of_its_own: Path) -> None:
    done = run("compress", "-", "--lossless", data=ROWS)
    assert 0 < len(done.stdout) < len(ROWS)
    assert "headroom_retrieve" not in done.stdout
    assert not list(store_of_its_own.iterdir())


def test_presets_show_more_and_less() -> None:
    gentle, firm = (run("compress", "-", "--preset", name, data=LOG) for name in ("gentle", "firm"))
    assert len(firm.stdout) < len(gentle.stdout)


def test_figures_as_json() -> None:
    done = run("compress", "-", "--json", data=LOG)
    figures = json.loads(done.stderr)
    assert figures["tokens_saved"] == figures["tokens_before"] - figures["tokens_after"] > 0
    assert figures["references"] == [figures["blocks"][0]["reference"]]
    assert figures["blocks"][0]["path"] == [0, "content"]


def test_a_store_of_ones_own(tmp_path: Path) -> None:
    path = str(tmp_path / "kept.sqlite3")
    reference = reference_in(run("compress", "-", "--store", path, data=LOG).stdout)
    assert run("retrieve", reference).exit_code == cli.UNKNOWN_REFERENCE
    assert run("retrieve", reference, "--store", path).stdout == LOG
    figures = json.loads(run("stats", "--store", path, "--json").stdout)
    assert (figures["originals"], figures["original_bytes"], figures["path"]) == (1, len(LOG), path)


def test_parts_of_an_original() -> None:
    reference = reference_in(run("compress", "-", data=LOG).stdout)
    assert "handled request 1234 " in run("retrieve", reference, "request 1234").stdout
    assert LOG.splitlines()[119] in run("retrieve", reference, "--lines", "120-121").stdout
    assert run("retrieve", reference, "--offset", "100").stdout == LOG[100:]
    for two in (("words", "--lines", "1-2"), ("--lines", "1-2", "--offset", "5")):
        both = run("retrieve", reference, *two)
        assert (both.exit_code, both.stdout) == (cli.USAGE, "")
        assert "do not go together" in both.stderr


def test_an_original_of_another_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_NAMESPACE", "team")
    reference = reference_in(run("compress", "-", data=LOG).stdout)
    monkeypatch.delenv("HEADROOM_NAMESPACE")
    absent = run("retrieve", reference)
    assert absent.exit_code == cli.UNKNOWN_REFERENCE
    assert "namespace 'default'" in absent.stderr and "--namespace" in absent.stderr
    assert run("retrieve", reference, "--namespace", "team").stdout == LOG


def test_stats_of_a_store_that_is_not_there_yet(store_of_its_own: Path) -> None:
    done = run("stats")
    assert done.exit_code == 0
    assert str(store_of_its_own) in done.stdout.replace("\n", "")
    assert not list(store_of_its_own.iterdir()), "looking makes no file"


def test_exit_codes(tmp_path: Path) -> None:
    assert run("compress", str(tmp_path / "absent.json")).exit_code == cli.USAGE
    assert run("compress", "-", "--preset", "mild").exit_code == cli.USAGE
    assert run("frobnicate").exit_code == cli.USAGE
    bad = run("compress", "-", data='[{"role": "user"}]')
    assert (bad.exit_code, bad.stdout) == (cli.BAD_INPUT, "")
    assert run("compress", "-", data='[{"role": ["user"], "type": {}}]').exit_code == 0, "no message, so a text"
    assert "messages[0].content: is missing" in bad.stderr
    unknown = run("retrieve", "aaaaaaaaaa")
    assert (unknown.exit_code, unknown.stdout) == (cli.UNKNOWN_REFERENCE, "")
    assert "aaaaaaaaaa" in unknown.stderr
    reference = reference_in(run("compress", "-", data=LOG).stdout)
    assert run("retrieve", reference, "--lines", "9000-9001").exit_code == cli.USAGE


def test_a_store_that_fails_costs_the_saving_and_not_the_text(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = run("compress", "-", "--store", str(tmp_path / "file" / "kept.sqlite3"), data=LOG)
    assert (done.exit_code, done.stdout) == (cli.FAILURE, LOG)
    assert "as it came" in done.stderr
    assert run("retrieve", "aaaaaaaaaa", "--store", str(tmp_path / "file" / "kept.sqlite3")).exit_code == cli.FAILURE


def test_a_wrong_preset_in_the_environment_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_PRESET", "balansed")
    done = run("compress", "-", data=LOG)
    assert done.exit_code == cli.USAGE
    assert "balanced" in done.stderr


@pytest.mark.parametrize("command", [(), ("compress",), ("retrieve",), ("stats",)])
def test_help_names_the_exit_codes(command: tuple[str, ...]) -> None:
    words = " ".join(run(*command, "--help").stdout.split())
    assert cli.EXIT_CODES in words


def test_version() -> None:
    assert run("--version").stdout == f"headroom {headroom.__version__}\n"


def test_the_namespace_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_NAMESPACE", "tenant-7")
    reference = reference_in(run("compress", "-", "--preset", "firm", data=LOG).stdout)
    assert run("retrieve", reference).stdout == LOG
    monkeypatch.delenv("HEADROOM_NAMESPACE")
    assert run("retrieve", reference).exit_code == cli.UNKNOWN_REFERENCE


def test_a_document_of_text_is_one_tool_output() -> None:
    document = read_document(LOG.encode())
    result = headroom.compress(document.messages, store=MemoryStore())
    assert document.with_messages(result.messages).decode() == result.messages[0]["content"]
    assert isinstance(SQLiteStore(), headroom.CompressionStore)

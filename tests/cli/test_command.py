"""What every command has in common: help, exits, terminals, pipes, completion."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from headroom import cli
from headroom.cli.command import Argument
from tests.test_cli import COMMAND, LOG, MESSAGES, run, spawn

if sys.platform != "win32":
    from tests.cli.on_a_terminal import typed

NAMES = ["compress", "retrieve", "stats", "purge", "inspect", "report", "proxy", "mcp"]
HOSTILE = ["查询订单列表", "\x1b[2J\x1b]0;title\x07", "txt.\u202egnp", "🙂" * 30, "a" * 5_000, "two\nlines", "\ud800"]
on_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")


@pytest.fixture
def transcripts(tmp_path: Path) -> Path:
    """A folder with one conversation, in which tools have names that somebody else chose."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    for number, name in enumerate(HOSTILE):
        call = {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": f"{number} {LOG[:9_000]}"})
    (tmp_path / "talk.json").write_text(json.dumps(messages), encoding="utf-8")
    return tmp_path


def test_the_list_of_commands_tells_a_whole_sentence_of_each() -> None:
    words = " ".join(run("--help").stdout.split())
    assert list(cli.app.commands) == NAMES
    for name, command in cli.app.commands.items():
        sentence = " ".join(str(command.help).partition("\n\n")[0].split())
        assert sentence.endswith(".")
        assert f"{name} {sentence}" in words


@pytest.mark.parametrize("name", NAMES)
def test_help_explains_every_argument_and_option(name: str) -> None:
    words = run(name, "--help").stdout
    assert max(map(len, words.splitlines())) <= 80
    for one in cli.app.commands[name].params:
        if isinstance(one, Argument):
            assert one.words.split()[0] in words.partition("Arguments:")[2]
        else:
            assert isinstance(one, click.Option) and one.help
            assert all(option in words for option in one.opts + one.secondary_opts)


def test_a_mistyped_command_is_corrected() -> None:
    done = run("comprss")
    assert done.exit_code == cli.USAGE
    assert "compress" in done.stderr


def test_no_command_shows_the_help() -> None:
    done = run()
    assert "Commands:" in done.output


@on_a_terminal
@pytest.mark.parametrize("columns", [80, 200])
def test_tables_fit_the_terminal_whatever_tools_are_called(transcripts: Path, columns: int) -> None:
    seen = typed("report", str(transcripts), columns=columns)
    assert seen.exit_code == 0
    assert max(map(len, seen.lines)) <= columns
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", "".join(seen.lines))
    for shown in ("查询订单列表", r"\x1b[2J", r"two\nlines", r"\ud800", r"txt.\u202egnp"):
        assert shown in seen.text


@on_a_terminal
def test_a_person_is_told_what_takes_long_and_a_pipe_is_not(transcripts: Path) -> None:
    seen = typed("report", str(transcripts))
    assert "reading" in seen.text
    assert not any("reading" in line for line in seen.lines), "gone when it is done"
    assert spawn("report", str(transcripts)).stderr == b""


@on_a_terminal
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"}])
def test_no_colours(transcripts: Path, environment: dict[str, str]) -> None:
    assert "\x1b" not in typed("report", str(transcripts), **environment).text


@on_a_terminal
@pytest.mark.parametrize(("key", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("\n", 1, 1), ("\x03", 130, 1)])
def test_everything_is_deleted_only_after_a_yes(key: str, code: int, left: int) -> None:
    assert run("purge", "--yes").exit_code == 0
    assert run("compress", "-", data=LOG).exit_code == 0
    seen = typed("purge", press=("[y/N]: ", key))
    assert seen.exit_code == code
    assert "Traceback" not in seen.text
    assert json.loads(run("stats", "--json").stdout)["originals"] == left


@on_a_terminal
def test_ctrl_c_ends_work_with_130_and_no_trace(tmp_path: Path) -> None:
    big = tmp_path / "big.json"
    big.write_text(json.dumps([{"id": number, "name": f"order {number * 7_919 % 10_007}"} for number in range(400_000)]), encoding="utf-8")
    seen = typed("compress", str(big), press=("shortening", "\x03"))
    assert seen.exit_code == cli.INTERRUPTED
    assert "".join(seen.lines).replace("^C", "").strip() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to write to")
@pytest.mark.parametrize("arguments", [("compress", "-"), ("stats",), ("--help",), ("--version",)])
def test_a_full_disk_is_told_in_a_line(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, *arguments], input=b"text", stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (cli.FAILURE, b"headroom: No space left on device\n")


@on_a_terminal
@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("compress - <&-", cli.USAGE, "no standard input"),
        ("purge <&-", cli.USAGE, "--yes"),
        ("stats >&-", cli.FAILURE, "no standard output"),
        ("retrieve aaaaaaaaaa 2>&-", cli.UNKNOWN_REFERENCE, ""),
        ("--help | true", 0, ""),
        ("stats | true", 0, ""),
    ],
)
def test_streams_that_are_closed(command: str, code: int, words: str) -> None:
    shell = ["sh", "-c", f'"$0" "$1" "$2" {command}', *COMMAND]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_names_of_files_do_not_act_on_the_terminal_either() -> None:
    done = run("compress", "/absent/\x1b[2J")
    assert "\x1b" not in done.stderr
    assert r"\x1b[2J" in done.stderr


def test_a_terminal_that_knows_no_lines_gets_dashes() -> None:
    done = spawn("compress", "-", data=json.dumps(MESSAGES).encode(), PYTHONIOENCODING="ascii")
    assert b"\n ------" in done.stderr
    assert b"\\u" not in done.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [("pu", "purge"), ("compress --pre", "--preset"), ("compress --preset g", "gentle"), ("proxy --backend b", "bedrock")],
)
def test_the_shell_completes(words: str, offered: str) -> None:
    environment = {
        **os.environ,
        "_HEADROOM_COMPLETE": "bash_complete",
        "COMP_WORDS": f"headroom {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split() == [f"plain,{offered}"]


@pytest.mark.parametrize("command", [("proxy",), ("mcp", "--http")])
def test_a_port_that_is_taken_is_a_failure_and_no_bad_input(command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(*command, "--port", str(port))
    assert done.exit_code == 1
    assert str(port) in done.stderr and "in use" in done.stderr and "Traceback" not in done.stderr

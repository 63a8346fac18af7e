"""`headroom inspect` and `headroom report` as commands: files, exit codes, what goes where."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from headroom import cli
from tests import shop
from tests.inspect.recordings import claude_session, jsonl
from tests.redis_server import free_port
from tests.test_cli import LOG, run


def test_a_page_in_a_file_that_only_its_owner_reads(tmp_path: Path, store_of_its_own: Path) -> None:
    talk, page = tmp_path / "talk.json", tmp_path / "report.html"
    talk.write_text(json.dumps(shop.conversation()), encoding="utf-8")
    done = run("inspect", str(talk), "-o", str(page))
    assert (done.exit_code, done.stdout) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert not list(store_of_its_own.iterdir()), "nothing is stored"


def test_a_page_on_stdout() -> None:
    done = run("inspect", "-", data=LOG)
    assert done.stdout.startswith("<!doctype html>")
    assert "byte for byte" in done.stdout
    assert run("inspect", "-", "--lossless", data=LOG).stdout.count("byte for byte") == 0


def test_a_broken_line_is_told_on_stderr(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(jsonl(claude_session()) + b"{broken\n")
    done = run("inspect", str(log), "--session", "1")
    assert done.exit_code == 0
    assert "line 14 is not JSON" in done.stderr


def test_wrong_usage_of_inspect(tmp_path: Path) -> None:
    assert run("inspect").exit_code == cli.USAGE
    assert run("inspect", "-", "--live", data="x").exit_code == cli.USAGE
    assert run("inspect", "-", "--session", "2", data="x").exit_code == cli.USAGE
    assert run("inspect", str(tmp_path / "absent")).exit_code == cli.USAGE
    assert run("inspect", "-", "-o", str(tmp_path / "no" / "such" / "page.html"), data="x").exit_code == cli.USAGE
    assert run("inspect", "-", data='[{"role": "user"}]').exit_code == cli.BAD_INPUT
    assert run("inspect", "--live", "--url", f"http://127.0.0.1:{free_port()}").exit_code == cli.FAILURE


def test_a_report_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(jsonl(claude_session()))
    page = tmp_path / "report.html"
    done = run("report", str(tmp_path), "-o", str(page))
    assert done.exit_code == 0
    for words in ("json_records", "list_orders", "Bash", "every text once", "requests"):
        assert words in done.stdout
    assert "<svg" in page.read_text(encoding="utf-8")
    figures = json.loads(run("report", str(tmp_path), "--json").stdout)
    assert figures["total"]["saved"] > figures["total"]["before"] / 2
    assert len(figures["sessions"]) == 2
    total = figures["total"]
    words = ("all", f"{total['texts']:,}", f"{total['shortened']:,}", f"{total['before']:,}", f"{total['saved']:,}")
    assert sum(line.split()[:5] == list(words) for line in done.stdout.splitlines()) == 2, "under the kinds, and under the tools"
    assert "tokens, estimated" in done.stdout, "Claude's are"
    assert "estimated" not in run("report", str(tmp_path), "--model", "gpt-4o").stdout


def test_wrong_usage_of_report(tmp_path: Path) -> None:
    assert run("report", str(tmp_path / "absent")).exit_code == cli.USAGE
    empty = run("report", str(tmp_path))
    assert empty.exit_code == cli.BAD_INPUT
    assert "no conversation found" in empty.stderr

"""`headroom stats` and `headroom purge`, on files and on Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headroom import RedisStore, SQLiteStore, cli
from headroom.cli.originals import age_in_seconds
from tests.proxy.running import Proxy, question
from tests.redis_server import RedisServer
from tests.scripted_model import ScriptedModel
from tests.test_cli import LOG, reference_in, run

DAY = 86_400.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


def _filled(path: Path, ages: dict[str, float]) -> SQLiteStore:
    """A file in which a text of each namespace was last used so many seconds ago."""
    newest = SQLiteStore(path)
    for namespace, age in ages.items():
        old = SQLiteStore(path, clock=lambda age=age: newest._clock() - age)  # type: ignore[misc]
        old.put_many([f"text of {namespace}"], namespace)
        old.close()
    return newest


def _namespaces(store: SQLiteStore, names: str) -> str:
    return "".join(name for name in names if store.stats(name).entries)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--namespace", "a"], "bc"),
        (["--older-than", "7d"], "a"),
        (["--older-than", "1w", "--namespace", "b"], "ac"),
        (["--older-than", "30d"], "abc"),
        (["--namespace", "d"], "abc"),
        (["--yes"], ""),
    ],
)
def test_purge_deletes_what_was_named(tmp_path: Path, options: list[str], left: str) -> None:
    store = _filled(tmp_path / "kept.sqlite3", {"a": 0.0, "b": 8 * DAY, "c": 9 * DAY})
    done = run("purge", "--store", str(store.path), *options)
    gone = 3 - len(left)
    assert (done.exit_code, done.stdout) == (0, f"{gone} original{'' if gone == 1 else 's'} deleted\n")
    assert _namespaces(store, "abc") == left


def test_everything_is_deleted_only_if_meant(tmp_path: Path) -> None:
    store = _filled(tmp_path / "kept.sqlite3", {"a": 0.0})
    done = run("purge", "--store", str(store.path))
    assert done.exit_code == cli.USAGE
    assert "--yes" in done.stderr
    assert store.stats().entries == 1


@pytest.mark.parametrize("age", ["7", "d", "-7d", "7 days", "1e9d", "", "٣d", "7d7d", "9" * 400 + "d"])
def test_an_age_that_is_none(age: str) -> None:
    assert run("purge", "--older-than", age).exit_code == cli.USAGE


def test_ages() -> None:
    assert [age_in_seconds(age) for age in ("90s", "30m", "12h", "7d", "2w", "1.5h")] == [90, 1_800, 43_200, 604_800, 1_209_600, 5_400]


def test_what_was_purged_is_unknown() -> None:
    reference = reference_in(run("compress", "-", data=LOG).stdout)
    assert run("retrieve", reference).exit_code == 0
    assert json.loads(run("purge", "--namespace", "default", "--json").stdout) == {"deleted": 1}
    assert run("retrieve", reference).exit_code == cli.UNKNOWN_REFERENCE


def test_where_no_store_is_none_is_made(store_of_its_own: Path) -> None:
    assert run("purge", "--yes").stdout == "0 originals deleted\n"
    assert run("stats", "--namespace", "x").exit_code == 0
    assert not list(store_of_its_own.iterdir())


def test_stats_of_one_namespace(tmp_path: Path) -> None:
    store = _filled(tmp_path / "kept.sqlite3", {"a": 0.0, "b": 0.0})
    figures = json.loads(run("stats", "--store", str(store.path), "--namespace", "a", "--json").stdout)
    assert (figures["originals"], figures["namespaces"]) == (1, 1)


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_url_in_place_of_a_file(server: RedisServer, how: str, monkeypatch: pytest.MonkeyPatch, store_of_its_own: Path) -> None:
    url = server.url if how == "option" else server.url.replace("redis://", "redis://:@")
    store = ("--store", url) if how == "option" else ()
    if how == "environment":
        monkeypatch.setenv("HEADROOM_STORE", url)
    reference = reference_in(run("compress", "-", *store, data=LOG).stdout)
    assert run("retrieve", reference, *store).stdout == LOG
    assert RedisStore(server.url).get(reference.partition("-")[0]) == LOG
    figures = json.loads(run("stats", *store, "--json").stdout)
    assert (figures["originals"], figures["path"]) == (1, server.url)
    assert run("purge", "--yes", *store).stdout == "1 original deleted\n"
    assert run("retrieve", reference, *store).exit_code == cli.UNKNOWN_REFERENCE
    assert not list(store_of_its_own.iterdir()), "no file beside it"


def test_the_proxy_takes_a_url_too(server: RedisServer, store_of_its_own: Path) -> None:
    with ScriptedModel(["ok"]) as model, Proxy(model, store=server.url) as proxy:
        assert proxy.post("openai", question("openai")).headers["x-headroom-compressed"] == "true"
    assert RedisStore(server.url).purge() == 1
    assert not list(store_of_its_own.iterdir())


def test_a_password_is_not_shown(server: RedisServer) -> None:
    with_password = server.url.replace("redis://", "redis://user:hunter2@")
    done = run("stats", "--store", with_password)
    assert "hunter2" not in done.stdout + done.stderr


def test_a_store_that_is_no_store(tmp_path: Path) -> None:
    assert run("stats", "--store", "mysql://host/x").exit_code == cli.USAGE
    done = run("stats", "--store", "redis://127.0.0.1:1/0")
    assert (done.exit_code, done.stdout) == (cli.FAILURE, "")

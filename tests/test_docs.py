"""What the documents show is so: their code runs, their links lead somewhere, the output they quote is today's."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headroom.core.router import default_compressors
from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
NAMED_FILE = re.compile(r"`((?:headroom|examples|scripts|docs|benchmarks)/[\w./]+)`")


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def a_model_to_talk_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Code that asks a model, as a reader's would, gets "ok" from a server on this machine."""
    with ScriptedModel(["ok"]) as model:
        for name, url in (("OPENAI", model.openai_url), ("ANTHROPIC", model.url)):
            monkeypatch.setenv(f"{name}_BASE_URL", url)
            monkeypatch.setenv(f"{name}_API_KEY", "none")
        monkeypatch.setenv("OPENAI_API_BASE", model.openai_url)
        monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        yield


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # short examples leave closing to the end of the program
@pytest.mark.filterwarnings("ignore:Items? .* on TypedDict class:UserWarning")  # from pydantic, about LiteLLM's types
@pytest.mark.usefixtures("a_model_to_talk_to")
@pytest.mark.parametrize("page", [page for page in PAGES if CODE.search(_read(page))], ids=_name)
def test_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = _read(page)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in CODE.finditer(text):  # one after the other: a later block may use what an earlier one defined
        above = "\n" * text.count("\n", 0, block.start(1))
        exec(compile(above + block[1], str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCED.sub("", _read(page))):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file) if file else page
        assert path.exists(), f"{_name(page)} links to {target}"
        assert not anchor or anchor in _anchors(path), f"{_name(page)} links to {target}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", _read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_named_tests_and_files_exist(page: Path) -> None:
    text = _read(page)
    for file, name in NAMED_TEST.findall(text):
        assert (ROOT / file).is_file(), f"{_name(page)} names {file}"
        functions = {node.name for node in ast.walk(ast.parse(_read(ROOT / file))) if isinstance(node, ast.FunctionDef)}
        assert not name or name in functions, f"{_name(page)} names {file}::{name}"
    for file in NAMED_FILE.findall(text):
        assert (ROOT / file).exists(), f"{_name(page)} names {file}"


@pytest.mark.parametrize("kind", [compressor.kind for compressor in default_compressors()])
def test_every_kind_has_a_page(kind: str) -> None:
    assert (ROOT / "docs" / "kinds" / f"{kind}.md").is_file()


def test_quoted_output_is_what_the_commands_print_today() -> None:
    done = subprocess.run([sys.executable, "scripts/write_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + "run: python scripts/write_docs.py"


def test_the_demo_holds() -> None:
    done = subprocess.run([sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout


def test_readme_names_exactly_the_two_commands() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", _read(ROOT / "README.md"), re.DOTALL | re.MULTILINE)
    commands = [line.partition("#")[0].strip() for line in blocks[0].splitlines()]
    assert commands == ["sh scripts/demo", "sh scripts/test"]


def test_ci_runs_the_readme_command() -> None:
    assert "sh scripts/test" in _read(ROOT / ".ci" / "run")

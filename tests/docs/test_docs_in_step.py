"""What the pages claim is held against the code: states, files, commands, settings."""

import re
import runpy
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from textwave.campaigns.states import CAMPAIGN_STATES
from textwave.cli.main import app
from textwave.content.states import TEMPLATE_STATES
from textwave.kit.states import StateTable
from textwave.settings import CLIENT_NAMES, PREFIX, Settings
from textwave.signatures.states import SIGNATURE_STATES
from textwave.storage.ledger import Ledger, value

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
PATH = re.compile(r"`((?:src|tests|docs|requirements)/[\w./-]+)`")
CODE = re.compile(r"```.*?```|`[^`\n]+`|(?<=\n)    [^\n]+", re.DOTALL)
COMMAND = re.compile(r"(?<![\w./:@-])textwave ([a-z][^\n`|]*)")
TARGET = re.compile(r"(?<![\w-])make ([a-z]+)")
SETTING = re.compile(r"TEXTWAVE_[A-Z][A-Z_]*")


def test_the_page_of_states_is_in_step_with_the_tables_of_moves() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "generate_states.py"))
    assert (ROOT / "docs" / "states.md").read_text(encoding="utf-8") == script["states_page"]()


@pytest.mark.parametrize("states", [CAMPAIGN_STATES, SIGNATURE_STATES, TEMPLATE_STATES])
async def test_the_ledger_takes_exactly_the_states_of_the_table(
    ledger: Ledger, states: StateTable[StrEnum, StrEnum]
) -> None:
    async with ledger.transaction() as connection:
        check = await value(
            connection,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            [f"{states.kind}_state_check"],
        )
    assert set(re.findall(r"'([^']+)'", check)) == {str(state) for state in states.states}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = [page.parent / target for target in LINK.findall(text)]
    named = [ROOT / path for path in PATH.findall(text)]
    assert [str(path) for path in linked + named if not path.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    assert [said for said in commands(page) if trouble(said)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields} | CLIENT_NAMES
    known |= {name + "_FILE" for name in known}
    named = set(SETTING.findall(page.read_text(encoding="utf-8")))
    assert named - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    code = " ".join(CODE.findall(page.read_text(encoding="utf-8")))
    assert set(TARGET.findall(code)) - set(targets) == set()


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tools = (ROOT / "requirements" / "development.in").read_text("utf-8").split()
    packages = [*project["dependencies"], *project["optional-dependencies"]["spark"], *tools]
    wanted = {re.split(r"[\[=<>~!;]", one)[0] for one in packages}
    page = (ROOT / "docs" / "decisions" / "0009-dependencies.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)) == wanted


def test_the_words_of_the_glossary_are_those_of_the_code() -> None:
    python = sources("src/textwave/**/*.py")
    schema = sources("src/textwave/**/*.sql") + python
    rows = re.findall(
        r"^\|(.*)\|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE
    )
    unknown: list[str] = []
    for row in rows[2:]:
        _, _, in_python, in_sql, *_ = row.split(" | ")
        for cell, text in ((in_python, python), (in_sql, schema)):
            words = [word for code in re.findall(r"`([^`]+)`", cell) for word in code.split(".")]
            unknown += [
                word for word in words if not re.search(rf"\b{word.strip(chr(39))}\b", text)
            ]
    assert unknown == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert trouble("up --detach") == ""
    assert trouble("campaign dry-run spring --json") == ""
    assert trouble("campaign explode") == "campaign explode"
    assert trouble("fly") == "fly"
    assert trouble("campaign report spring --colour") == "--colour"


def sources(pattern: str) -> str:
    """Return the text of all files that fit the pattern."""
    return "\n".join(path.read_text("utf-8") for path in ROOT.glob(pattern) if path.is_file())


def commands(page: Path) -> Iterator[str]:
    """Find what follows the word `textwave` in code, one logical line each."""
    for code in CODE.findall(page.read_text(encoding="utf-8")):
        for said in COMMAND.findall(code.replace("\\\n", " ")):
            yield said.split(" #")[0]


def trouble(said: str) -> str:
    """Return what of a command line does not exist, or nothing."""
    words = said.split()
    known = options_of()
    path = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    is_group = path not in known and any(name.startswith(path + " ") for name in known)
    if is_group and len(words) == 1:
        return ""
    if path not in known:
        return " ".join(words[:2]) if is_group else words[0]
    given = [word.split("=")[0] for word in words if re.match(r"--[a-z]", word)]
    return " ".join(option for option in given if option not in known[path] | {"--help"})


@cache
def options_of() -> dict[str, set[str]]:
    """Return the options of every command by its path, as the command line has them."""
    return dict(_walk(get_command(app), ""))


def _walk(command: Any, path: str) -> Iterator[tuple[str, set[str]]]:
    inner = getattr(command, "commands", {})
    for name, one in inner.items():
        yield from _walk(one, f"{path} {name}".strip())
    if not inner:
        yield path, {name for one in command.params for name in [*one.opts, *one.secondary_opts]}

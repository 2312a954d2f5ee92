"""Generated references under docs/reference: API, rules, commands, settings.

`python -m textwave.cli.references write` writes them; `check` refuses when one is out of step.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from textwave.audiences.rule import rule_schema
from textwave.settings import Settings

FOLDER = Path("docs/reference")
_WRITTEN_BY = "<!-- Written by `make docs`. -->\n"
_ABOUT_SETTINGS = (
    "Each is a variable of the environment; `TEXTWAVE_<NAME>_FILE` reads its value from a file. "
    "An unknown `TEXTWAVE_…` name is an error.\n"
)


def references() -> dict[str, str]:
    """Return the content of each reference by its file name."""
    return {
        "openapi.json": openapi(),
        "rule.schema.json": json.dumps(rule_schema(), ensure_ascii=False, indent=2) + "\n",
        "cli.md": commands(),
        "settings.md": settings(),
    }


def openapi() -> str:
    """Return the OpenAPI document of the REST API."""
    from textwave.api.app import build_api

    return json.dumps(build_api().openapi(), ensure_ascii=False, indent=2) + "\n"


def settings() -> str:
    """Return all settings as a table."""
    lines = ["# Settings", _WRITTEN_BY, _ABOUT_SETTINGS]
    lines += ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `TEXTWAVE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return all commands with their arguments and options."""
    from textwave.cli.main import app

    lines = ["# Commands", _WRITTEN_BY]
    for path, command in _walk("textwave", typer.main.get_command(app)):
        lines += [f"## {path}", "", (command.help or "").strip(), ""]
        rows = [row for parameter in command.params if (row := _parameter_row(parameter))]
        if rows:
            lines += [
                "| argument or option | default | meaning |",
                "| --- | --- | --- |",
                *rows,
                "",
            ]
    return "\n".join(lines)


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner:
        yield path, command
    for name in sorted(inner):
        yield from _walk(f"{path} {name}", inner[name])


def _parameter_row(parameter: Any) -> str:
    if getattr(parameter, "hidden", False) or "--help" in parameter.opts:
        return ""
    is_argument = parameter.param_type_name == "argument"
    names = (
        [parameter.name.upper()] if is_argument else [*parameter.opts, *parameter.secondary_opts]
    )
    written = ", ".join(f"`{name}`" for name in names)
    default = "required" if parameter.required else _default(parameter.default)
    return f"| {written} | {default} | {(getattr(parameter, 'help', '') or '').strip()} |"


def _default(value: Any) -> str:
    if callable(value) or value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "on" if value else ""
    return f"`{getattr(value, 'value', value)}`"


def out_of_step(folder: Path = FOLDER) -> list[str]:
    """Return the names of the references that differ from what would be written."""
    return [
        name
        for name, content in references().items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != content
    ]


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    if arguments == ["write"]:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, content in references().items():
            (FOLDER / name).write_text(content, encoding="utf-8")
        return 0
    if arguments == ["check"]:
        wrong = out_of_step()
        for name in wrong:
            print(f"{FOLDER / name} is out of step; run `make docs`.", file=sys.stderr)
        return bool(wrong)
    print("usage: python -m textwave.cli.references write|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

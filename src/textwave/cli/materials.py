"""`textwave material`: the library of images, videos and sounds of digital messages."""

from pathlib import Path
from typing import Annotated, Any

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Images, videos and sounds of digital messages.", no_args_is_help=True)
_COLUMNS = ("name", "kind", "suffix", "size_bytes", "width", "height", "milliseconds", "tags",
            "shared", "created_by")  # fmt: skip
Tags = Annotated[list[str] | None, typer.Option(help="A tag; give it several times for several.")]


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    name: Annotated[str | None, typer.Option(help="Default: the name of the file.")] = None,
    tag: Tags = None,
    share: Annotated[bool, typer.Option("--share", help="Let the workspace see it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a GIF, JPG, PNG or BMP image, an MP4 video or an MP3 sound."""
    path = f"/api/materials/{segment(name or file.stem)}/imports"
    options: dict[str, Any] = {"tag": tag or [], "shared": str(share).lower()}
    made = open_api().upload(path, file, options, lambda _: None)
    print_json(made) if as_json else print_fields(made)


@app.command("list")
def list_materials(
    kind: Annotated[str | None, typer.Option(help="image, video or audio.")] = None,
    tag: Annotated[str | None, typer.Option(help="With this tag.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only what the key's holder added.")] = False,
    contains: Annotated[str | None, typer.Option(help="A part of the name.")] = None,
    limit: Limit = 1_000,
    as_json: AsJson = False,
) -> None:
    """List the materials."""
    asked = {"kind": kind, "tag": tag, "mine": str(mine).lower(), "contains": contains}
    found = list(open_api().items("/api/materials", limit=limit, **asked))
    print_json(found) if as_json else print_rows(found, _COLUMNS)


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show what is known of a material."""
    found = open_api().get(f"/api/materials/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@app.command("download")
def download(
    name: str,
    to: Annotated[Path | None, typer.Option(help="Where; default: its name, here.")] = None,
) -> None:
    """Write a material to a file."""
    found = open_api().get(f"/api/materials/{segment(name)}")
    target = to or Path(Path(f"{name}.{found['suffix']}").name)
    open_api().download(f"/api/materials/{segment(name)}/content", target)
    print(target)


@app.command("rename")
def rename(name: str, new_name: str, as_json: AsJson = False) -> None:
    """Give a material another name."""
    _change(name, {"name": new_name}, as_json=as_json)


@app.command("share")
def share(name: str, as_json: AsJson = False) -> None:
    """Let everybody of the workspace see and use a material."""
    _change(name, {"shared": True}, as_json=as_json)


@app.command("unshare")
def unshare(name: str, as_json: AsJson = False) -> None:
    """Keep a material to its owner and administrators."""
    _change(name, {"shared": False}, as_json=as_json)


@app.command("tag")
def tag(
    names: Annotated[list[str], typer.Argument(help="The materials.")],
    add: Annotated[list[str] | None, typer.Option(help="A tag to add.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tag to take away.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add tags to materials, and take some away."""
    body = {"names": names, "add": add or [], "remove": remove or []}
    found: Any = open_api().post("/api/materials/tags", body)
    print_json(found) if as_json else print_rows(found, ("name", "tags"))


@app.command("delete")
def delete(name: str) -> None:
    """Delete a material that no template is made of."""
    open_api().delete(f"/api/materials/{segment(name)}")
    print(f"“{name}” is deleted.")


def _change(name: str, body: dict[str, Any], *, as_json: bool) -> None:
    changed = open_api().patch(f"/api/materials/{segment(name)}", body)
    print_json(changed) if as_json else print_fields(changed)

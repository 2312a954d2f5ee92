"""`textwave audience profile`: in what the people of an audience differ from everyone."""

from typing import Annotated

import typer

from textwave.cli.client import Answer, open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_json, print_rows


def profile(
    name: str,
    columns: Annotated[list[str] | None, typer.Option(help="Only this column; repeatable.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Another audience; default: everyone.")
    ] = None,
    values: Annotated[int, typer.Option(min=1, max=50, help="Most values of a column.")] = 15,
    as_json: AsJson = False,
) -> None:
    """Compare the people with everyone, the most different columns first."""
    api = open_api()
    body = {"columns": columns or None, "against": against, "values": values}
    operation = api.post(f"/api/audiences/{segment(name)}/profile", body)
    result = api.finished(operation)
    if as_json:
        print_json(result)
        return
    other = f"“{result['against']}”" if result["against"] else "everyone"
    print(f"“{name}” ({result['size']:,}) against {other} ({result['against_size']:,})")
    for column in result["columns"]:
        print(f"\n{column['column']}: differs by {column['difference']:.2f}")
        rows = [_row(value) for value in column["values"]]
        if column["other"]["values"]:
            rows.append(_row(column["other"]) | {"value": f"{column['other']['values']:,} others"})
        print_rows(rows, ("value", "audience", "share", "compared", "index"))


def _row(value: Answer) -> Answer:
    return {
        "value": "(none)" if value["value"] is None else value["value"],
        "audience": value["audience"],
        "share": f"{value['share_audience']:.1%}",
        "compared": f"{value['share_everyone']:.1%}",
        "index": value["index"],
    }

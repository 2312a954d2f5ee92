"""`textwave rfm` and `textwave aipl`: customers by what they are worth and how near they are."""

from typing import Annotated, Any

import typer

from textwave.cli.client import Answer, open_api
from textwave.cli.options import AsJson, read_json_option
from textwave.cli.output import print_json, print_rows

DIMENSIONS = ("recency", "frequency", "monetary")
TYPES = ("HHH", "LHH", "HLH", "LLH", "HHL", "LHL", "HLL", "LLL")
rfm = typer.Typer(help="RFM: recency, frequency, monetary value.", no_args_is_help=True)

Table = Annotated[str, typer.Option("--table", help="Table of orders or order summaries.")]
Customer = Annotated[str | None, typer.Option(help="Column; default: the table's declared one.")]
Time = Annotated[str | None, typer.Option(help="Column of the time of the purchase.")]
Amount = Annotated[str | None, typer.Option(help="Column of the amount.")]
Count = Annotated[
    str | None, typer.Option(help="Column of the number of purchases (order summaries).")
]
BandsFile = Annotated[
    str | None,
    typer.Option(
        "--bands",
        help="JSON or a file: for each of recency_days, frequency, monetary a list of "
        "[up to and including, score], the last bound null; baseline: “mean” or three numbers.",
    ),
]
Quantiles = Annotated[int | None, typer.Option(help="2 to 10 scores of equally many customers.")]
Baseline = Annotated[
    str | None, typer.Option(help="“mean” or three numbers R,F,M from which a score is high.")
]
LastDays = Annotated[
    int | None, typer.Option(help="Only orders of the day itself and so many days before it.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(help="Condition as in rules, as JSON of kind attribute; repeatable."),
]


@rfm.command("compute")
def compute(
    table: Table,
    customer: Customer = None,
    time: Time = None,
    amount: Amount = None,
    count: Count = None,
    at: Annotated[str | None, typer.Option(help="Day of the analysis; default: today.")] = None,
    bands: BandsFile = None,
    quantiles: Quantiles = None,
    baseline: Baseline = None,
    last_days: LastDays = None,
    where: Where = None,
    as_json: AsJson = False,
) -> None:
    """Compute RFM once: users, amount and orders by type and by score, and the mean scores."""
    columns = {"customer": customer, "time": time, "amount": amount, "count": count}
    body = _definition(table, columns, bands, quantiles, baseline, last_days, where) | {"at": at}
    api = open_api()
    result = api.finished(api.post("/api/rfm/compute", body), lambda _: None, every_seconds=10)
    print_json(result) if as_json else _print_rfm(result)


def _definition(
    table: str,
    columns: dict[str, str | None],
    bands: str | None,
    quantiles: int | None,
    baseline: str | None,
    last_days: int | None,
    where: list[str] | None,
) -> dict[str, Any]:
    if (bands is None) == (quantiles is None):
        raise typer.BadParameter("give either --bands or --quantiles")
    return {
        **columns,
        "table": table,
        "bands": None if bands is None else read_json_option(bands, "--bands"),
        "quantiles": quantiles,
        "baseline": _baseline(baseline),
        "last_days": last_days,
        "where": [read_json_option(one, "--where") for one in where or []],
    }


def _baseline(given: str | None) -> str | list[float] | None:
    if given is None or given.strip() == "mean":
        return given and given.strip()
    try:
        return [float(number) for number in given.split(",")]
    except ValueError:
        raise typer.BadParameter("--baseline is “mean” or three numbers such as 3,2.5,3") from None


def _print_rfm(result: Answer) -> None:
    print(
        f"{result['users']:,} users, {result['orders']:,} orders, {result['amount']:,.2f} in all, "
        f"on {result['at']}."
    )
    types = [{"type": letters, **result["types"][letters]} for letters in TYPES]
    print_rows(_with_amounts(types), ("type", "name", "users", "amount", "orders"))
    highest_first = sorted(result["scores"].items(), key=_by_scores, reverse=True)
    scores = [{"score": score, **one} for score, one in highest_first]
    print_rows(_with_amounts(scores), ("score", "users", "amount", "orders"))
    means, high = result["means"], result["baseline"]
    dimensions = [
        {"": name, "mean score": _decimal(means[name]), "high from": _decimal(high[name])}
        for name in DIMENSIONS
    ]
    print_rows(dimensions, ("", "mean score", "high from"))


def _by_scores(item: tuple[str, Any]) -> list[int]:
    name = item[0]
    return [int(score) for score in (name.split("-") if "-" in name else name)]


def _with_amounts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"amount": f"{row['amount']:,.2f}"} for row in rows]


def _decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"

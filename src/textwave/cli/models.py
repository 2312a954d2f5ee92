"""`textwave rfm` and `textwave aipl`: customers by what they are worth and how near they are."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, Limit, read_json_option
from textwave.cli.output import print_fields, print_json, print_rows

DIMENSIONS = ("recency", "frequency", "monetary")
TYPES = ("HHH", "LHH", "HLH", "LLH", "HHL", "LHL", "HLL", "LLL")
STAGES = ("aware", "interested", "purchased", "loyal")
rfm = typer.Typer(help="RFM: recency, frequency, monetary value.", no_args_is_help=True)
aipl = typer.Typer(help="AIPL: aware, interested, purchased, loyal.", no_args_is_help=True)

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
        "\\[up to and including, score], the last bound null; baseline: “mean” or three numbers.",
    ),
]
Quantiles = Annotated[int | None, typer.Option(help="2 to 10 scores of equally many customers.")]
Baseline = Annotated[
    str | None, typer.Option(help="“mean” or three numbers R,F,M from which a score is high.")
]
LastDays = Annotated[
    int | None, typer.Option(help="Only orders of the day itself and so many days before it.")
]
Refresh = Annotated[
    str,
    typer.Option(help="after_import, or five cron fields in the workspace's time; else by hand."),
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
    print_json(result) if as_json else print_rfm(result)


@rfm.command("create")
def create_rfm(
    name: str,
    table: Table,
    customer: Customer = None,
    time: Time = None,
    amount: Amount = None,
    count: Count = None,
    bands: BandsFile = None,
    quantiles: Quantiles = None,
    baseline: Baseline = None,
    last_days: LastDays = None,
    where: Where = None,
    refresh: Refresh = "",
    as_json: AsJson = False,
) -> None:
    """Keep a model under a name and score the customers; rules can then name it."""
    columns = {"customer": customer, "time": time, "amount": amount, "count": count}
    body = _definition(table, columns, bands, quantiles, baseline, last_days, where)
    api = open_api()
    made = api.post("/api/rfm", body | {"name": name, "refresh": refresh})
    result = _refreshed(api, made["name"], {})
    print_json(made | {"result": result}) if as_json else print_rfm(result)


@rfm.command("refresh")
def refresh_rfm(name: str, as_json: AsJson = False) -> None:
    """Score the customers anew, as of today."""
    api = open_api()
    _found(api, "rfm", name)
    result = _refreshed(api, name, {})
    print_json(result) if as_json else print_rfm(result)


@rfm.command("list")
def list_rfm(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the RFM models."""
    _list("rfm", limit, as_json=as_json)


@rfm.command("show")
def show_rfm(name: str, as_json: AsJson = False) -> None:
    """Show a model and what its newest refresh came to."""
    found = _found(open_api(), "rfm", name)
    if as_json:
        print_json(found)
        return
    result = found.pop("result")
    print_fields(found)
    if result is not None:
        print_rfm(result)


@rfm.command("delete")
def delete_rfm(name: str) -> None:
    """Delete a model that no rule names."""
    api = open_api()
    _found(api, "rfm", name)
    api.delete(f"/api/models/{segment(name)}")
    print(f"“{name}” is deleted.")


@aipl.command("create")
def create_aipl(
    name: str,
    stages: Annotated[
        str,
        typer.Option(
            "--stages",
            help="JSON or a file: a rule for each of aware, interested, purchased, loyal.",
        ),
    ],
    table: Annotated[str, typer.Option("--table", help="Table of customers.")] = "customers",
    keep_days: Annotated[
        int | None, typer.Option(help="Keep the labels of so many days; default: all.")
    ] = None,
    refresh: Refresh = "",
    as_json: AsJson = False,
) -> None:
    """Keep a model under a name and label the customers as of today."""
    body = {
        "name": name,
        "table": table,
        "stages": read_json_option(stages, "--stages"),
        "keep_days": keep_days,
        "refresh": refresh,
    }
    api = open_api()
    made = api.post("/api/aipl", body)
    result = _refreshed(api, made["name"], {})
    print_json(made | {"result": result}) if as_json else _print_labelled(result)


@aipl.command("refresh")
def refresh_aipl(
    name: str,
    day: Annotated[
        str | None, typer.Option(help="The (last) day to label; default: today.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="The first of several days, at most 366.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Label the customers as of today, or as of days that have passed."""
    api = open_api()
    _found(api, "aipl", name)
    result = _refreshed(api, name, {"day": day, "from": first})
    print_json(result) if as_json else _print_labelled(result)


@aipl.command("list")
def list_aipl(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the AIPL models."""
    _list("aipl", limit, as_json=as_json)


@aipl.command("show")
def show_aipl(
    name: str,
    day: Annotated[str | None, typer.Option(help="A labelled day; default: the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show customers by stage on a day, the difference to the day before it, and 30 days."""
    api = open_api()
    found = _found(api, "aipl", name)
    found["at_day"] = api.get(f"/api/aipl/{segment(name)}/stages", day=day)
    if as_json:
        print_json(found)
        return
    at_day = found.pop("at_day")
    shown = [field for field in found if field != "result"]
    print_fields({field: found[field] for field in shown})
    if at_day["day"] is None:
        print("It has not been refreshed yet.")
        return
    difference = at_day["difference"] or {}
    rows = [
        {"stage": stage, "customers": at_day["stages"][stage], "difference": difference.get(stage)}
        for stage in STAGES
    ]
    print(f"On {at_day['day']}; before: {at_day['previous_day'] or 'never'}.")
    print_rows(rows, ("stage", "customers", "difference"))
    print_rows(at_day["trend"], ("day", *STAGES))


@aipl.command("flow")
def flow(
    name: str,
    first: Annotated[str, typer.Option("--from", help="The earlier labelled day.")],
    until: Annotated[str, typer.Option("--until", help="The later labelled day.")],
    as_json: AsJson = False,
) -> None:
    """Count who moved from which stage to which between two labelled days."""
    api = open_api()
    operation = api.post(f"/api/aipl/{segment(name)}/flow", {"from": first, "until": until})
    result = api.finished(operation, lambda _: None, every_seconds=10)
    if as_json:
        print_json(result)
        return
    stages = [{"stage": stage, **result["stages"][stage]} for stage in STAGES]
    counts = ("start", "stayed", "converted", "lost", "new", "end", "difference")
    print_rows(stages, ("stage", *counts))
    ends = (*STAGES, "none")
    matrix = [{"was \\ became": was, **result["matrix"][was]} for was in ends]
    print_rows(matrix, ("was \\ became", *ends))


@aipl.command("delete")
def delete_aipl(name: str) -> None:
    """Delete a model that no rule names, with its labels."""
    api = open_api()
    _found(api, "aipl", name)
    api.delete(f"/api/models/{segment(name)}")
    print(f"“{name}” is deleted.")


def _found(api: Api, kind: str, name: str) -> Answer:
    """Read a model; one of the other kind has its own commands."""
    found = api.get(f"/api/models/{segment(name)}")
    if found["kind"] != kind:
        raise typer.BadParameter(
            f"“{name}” is a model of kind {found['kind']}: use `textwave {found['kind']} …`"
        )
    return found


def _refreshed(api: Api, name: str, days: dict[str, Any]) -> Answer:
    operation = api.post(f"/api/models/{segment(name)}/refresh", days)
    bars = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*bars, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("computing", total=None)

        def seen(answer: Answer) -> None:
            said = answer["progress"] or {}
            done, days_in_all = said.get("days_done", 0), said.get("days", 1)
            percent = said.get("percent", 0) / 100
            progress.update(task, completed=done + percent, total=days_in_all)

        return api.finished(operation, seen, every_seconds=1)


def _list(kind: str, limit: int, *, as_json: bool) -> None:
    found = list(open_api().items("/api/models", limit=limit, kind=kind))
    if as_json:
        print_json(found)
        return
    rows = [
        model | {"table": model["definition"]["table"], "failed": model["refresh_failed_at"]}
        for model in found
    ]
    print_rows(rows, ("name", "table", "refresh", "day", "computed_at", "failed"))


def _print_labelled(result: Answer) -> None:
    counts = ", ".join(f"{stage} {result['stages'][stage]:,}" for stage in STAGES)
    days = f" ({result['runs']:,} days labelled)" if result["runs"] > 1 else ""
    print(f"On {result['day']}: {counts}{days}.")


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


def print_rfm(result: Answer) -> None:
    """Print users, amount and orders by type and score, and from where a score is high."""
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
    _print_beginnings(result["thresholds"])


def _print_beginnings(thresholds: Answer) -> None:
    """Print where each score of quantiles begins; bands are known to whoever wrote them."""
    monetary = thresholds["monetary"]
    if not all(isinstance(bound, float | int) for bound in monetary):
        return
    scores = [str(score) for score in range(1, len(monetary) + 2)]
    falling = {"": "recency, days", scores[-1]: "less"}
    falling |= dict(zip(scores[-2::-1], _from(thresholds["recency_days"]), strict=True))
    rising = [
        {"": name, "1": "less"} | dict(zip(scores[1:], _from(thresholds[name]), strict=True))
        for name in ("frequency", "monetary")
    ]
    print_rows([falling, *rising], ("", *scores))


def _from(bounds: list[float]) -> list[str]:
    return [f"from {bound:,.2f}".removesuffix(".00") for bound in bounds]


def _by_scores(item: tuple[str, Any]) -> list[int]:
    name = item[0]
    return [int(score) for score in (name.split("-") if "-" in name else name)]


def _with_amounts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"amount": f"{row['amount']:,.2f}"} for row in rows]


def _decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from textwave.cli.installation import Addresses, AlreadyRunning, Running, hold_lock, write_running
from textwave.cli.logs import mask_event
from textwave.cli.main import app
from textwave.cli.options import read_json_option, read_source
from textwave.cli.serving import PortTaken, address_of, claim_port, free_port
from textwave.platforms.sandbox import SandboxSettings


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments), env=environment)
    return done.exit_code, done.output


def test_count_needs_no_server() -> None:
    status, output = run("count", "hello €", "--rule", "international", "--json")

    assert status == 0
    assert json.loads(output) == {"encoding": "gsm7", "units": 8, "parts": 1}


def test_settings_name_the_source_of_each_value_and_hide_secrets() -> None:
    url = "postgresql://someone:hush-hush@localhost/x"

    status, output = run("settings", "--json", TEXTWAVE_DATABASE_URL=url, TEXTWAVE_WORKERS="3")

    rows = {row["name"]: row for row in json.loads(output)}
    assert status == 0
    assert (rows["TEXTWAVE_WORKERS"]["value"], rows["TEXTWAVE_WORKERS"]["source"]) == (
        3,
        "environment",
    )
    assert rows["TEXTWAVE_BATCH_SIZE"]["source"] == "default"
    assert "hush-hush" not in output


def test_the_sandbox_has_an_option_for_each_of_its_settings() -> None:
    command = typer.main.get_command(app)
    sandbox = command.commands["sandbox"]  # type: ignore[attr-defined] - a group

    named = {parameter.name for parameter in sandbox.params if parameter.help}

    assert set(SandboxSettings.__dataclass_fields__) <= named


def test_down_is_harmless_when_nothing_runs(tmp_path: Path) -> None:
    status, output = run("down", TEXTWAVE_DATA=str(tmp_path))

    assert status == 0
    assert "Nothing runs" in output


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("name=first_name", {"column": "first_name", "missing": "drop", "default": ""}),
        ("name=n:default=friend", {"column": "n", "missing": "default", "default": "friend"}),
        ("name=n:empty", {"column": "n", "missing": "empty", "default": ""}),
        ("name=n:default=a:b=c", {"column": "n", "missing": "default", "default": "a:b=c"}),
    ],
)
def test_a_variable_s_source_is_read(written: str, source: dict[str, str]) -> None:
    assert read_source(written) == ("name", source)


@pytest.mark.parametrize("written", ["name", "=column", "name=", "name=c:other"])
def test_a_source_that_says_nothing_is_a_usage_error(written: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_source(written)


def test_a_rule_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "rule.json").write_text('{"kind": "all", "of": []}')

    assert read_json_option(str(tmp_path / "rule.json"), "--rule") == {"kind": "all", "of": []}


def test_a_rule_that_is_no_json_is_a_usage_error() -> None:
    with pytest.raises(typer.BadParameter):
        read_json_option("{", "--rule")


def test_numbers_are_masked_in_every_part_of_a_log_event() -> None:
    event = {
        "event": "sent to 15412345678",
        "mobile": 8615412345678,
        "all": ["+44 7700 900123", {"deep": "15412345678"}],
        "message_id": 8200000000123,
        "count": 12,
    }

    masked = mask_event(None, "info", event)

    assert "15412345678" not in str(masked)
    assert "900123" not in str(masked)
    assert (masked["message_id"], masked["count"]) == (8200000000123, 12)


def test_a_taken_port_is_refused() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        with pytest.raises(PortTaken):
            free_port("127.0.0.1", taken.getsockname()[1])


def test_a_claimed_port_is_its_claimers_alone() -> None:
    import socket

    port = claim_port("127.0.0.1", 0)

    for look in (free_port, claim_port):
        with pytest.raises(PortTaken):
            look("127.0.0.1", port)
    with socket.socket() as own:  # what the server does
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        own.bind(("127.0.0.1", port))
        own.listen(1)
        with pytest.raises(PortTaken):
            claim_port("127.0.0.1", port)


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert address_of("::1", 80) == "http://[::1]:80"


def test_a_second_holder_of_the_lock_is_told_the_addresses(tmp_path: Path) -> None:
    with hold_lock(tmp_path):
        write_running(tmp_path, Running(1, 0.0, Addresses("http://a", "http://b")))
        with pytest.raises(AlreadyRunning) as refused, hold_lock(tmp_path):
            pass

    assert "http://a" in refused.value.sentence


def test_a_process_number_used_again_is_not_believed(tmp_path: Path) -> None:
    import os

    other_time = Running(os.getpid(), 1.0, Addresses("http://a", "http://b"))

    assert not other_time.alive
    assert tmp_path.exists()

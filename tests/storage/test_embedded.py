"""Where the embedded PostgreSQL lives: never where permissions would have to be widened."""

import dataclasses
import os
import stat
from pathlib import Path

import psycopg
import pytest

from textwave.storage.embedded import PasswordsGone, embedded_postgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another user")


@as_root
def test_as_root_a_private_folder_is_left_alone(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    cluster = embedded_postgres(private / "data")
    assert private not in cluster.cluster.parents
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@as_root
def test_as_root_a_folder_that_others_may_enter_holds_the_cluster() -> None:
    folder = Path(os.environ["TW_TEST_CLUSTER"])
    assert embedded_postgres(folder).cluster == folder / "postgres"


def test_nobody_gets_in_without_a_password() -> None:
    cluster = embedded_postgres(Path(os.environ["TW_TEST_CLUSTER"]))
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(cluster.socket_folder), user="textwave", dbname="textwave")


def test_passwords_can_be_read_by_the_owner_only() -> None:
    passwords = embedded_postgres(Path(os.environ["TW_TEST_CLUSTER"])).passwords_file
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600


def test_a_cluster_whose_passwords_are_gone_is_left_alone_and_said(tmp_path: Path) -> None:
    server = embedded_postgres(tmp_path)
    fake = dataclasses.replace(server, cluster=tmp_path / "cluster")
    fake.cluster.mkdir()
    (fake.cluster / "PG_VERSION").write_text("18")
    with pytest.raises(PasswordsGone, match=r"move .*cluster away to begin anew"):
        fake.start()
    assert not fake.passwords_file.exists()

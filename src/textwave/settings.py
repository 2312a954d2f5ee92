"""The one settings class: `TEXTWAVE_*` in the environment.

An unknown `TEXTWAVE_*` name is an error, so that a typing mistake cannot change behaviour silently.
`TEXTWAVE_<NAME>_FILE` reads the value from a file, for secrets.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from textwave.kit.carriers import PUBLIC_RANGES, CarrierRangesNotUnderstood
from textwave.kit.refusal import Refusal

PREFIX = "TEXTWAVE_"
# Read by the command line only: where the API is and with which key to ask it.
CLIENT_NAMES = frozenset({"TEXTWAVE_URL", "TEXTWAVE_API_KEY"})


@dataclass(eq=False)
class SettingInvalid(Refusal):
    """A setting is unknown or its value does not fit."""

    code: ClassVar[str] = "setting_invalid"
    name: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.name}: {self.problem} All settings are listed by `textwave settings`."


class Settings(BaseSettings):
    """What an installation can be told. Each field is one `TEXTWAVE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data: Path = Field(
        default=Path("textwave-data"),
        description="Folder of everything that is kept: PostgreSQL, warehouse, uploads, secrets. "
        "On several machines each has its own, for logs and temporary files.",
    )
    shared: Path | None = Field(
        default=None,
        description="Folder that all machines see under the same path: uploads, downloads, "
        "warehouse, master.key. Empty: the data folder.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL ≥ 15 of the owner role (migrations, workers). "
        "Empty: Textwave starts its own PostgreSQL in the data folder.",
    )
    database_web_url: SecretStr | None = Field(
        default=None,
        description="The same database as role textwave_web (API, console, links, callbacks). "
        "Needed when TEXTWAVE_DATABASE_URL is set.",
    )
    warehouse_path: str | None = Field(
        default=None,
        description="Folder of the warehouse's Parquet files, reachable by all workers. "
        "Empty: lake/ in the shared folder.",
    )
    warehouse_memory_megabytes: int = Field(
        default=2_000,
        ge=200,
        description="Memory for DuckDB in each worker; above it spills to disk.",
    )
    warehouse_threads: int = Field(
        default=0, ge=0, le=256, description="Threads for DuckDB in each worker; 0: one per core."
    )
    spark: str | None = Field(
        default=None,
        pattern=r"^(local(\[[^\]]+\])?|spark://\S+)$",
        description="Apache Spark that computes audiences, models and plans: spark://host:7077, or "
        "local[2] for one on this machine. Empty: DuckDB computes them in each worker.",
    )
    web_host: str = Field(
        default="127.0.0.1", description="Address that the API and console listen on."
    )
    web_port: int = Field(
        default=8600, ge=0, le=65535, description="Port of API and console; 0: a free one."
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where platforms reach API and callbacks, e.g. https://sms.example.cn. "
        "Empty: the web process's own address.",
    )
    links_host: str = Field(
        default="127.0.0.1", description="Address that the redirect listens on."
    )
    links_port: int = Field(
        default=8601, ge=0, le=65535, description="Port of the redirect; 0: a free one."
    )
    public_links_url: str | None = Field(
        default=None,
        description="What short links begin with, e.g. https://d.example.cn. "
        "Empty: the redirect's own address.",
    )
    links_client_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Header in which the reverse proxy before the redirect writes the client's "
        "address, e.g. X-Real-IP: clients that walk the codes are slowed down. "
        "Empty: the connection's own address; those of private networks are not slowed down.",
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="Worker processes that `textwave up` starts."
    )
    worker_concurrency: int = Field(
        default=6, ge=1, le=100, description="Jobs that one worker runs at a time."
    )
    heartbeat_seconds: float = Field(
        default=2.0, gt=0, description="How often a worker says that it lives."
    )
    stalled_seconds: float = Field(
        default=10.0, gt=0, description="Silence after which a worker's jobs are given to another."
    )
    batch_size: int = Field(
        default=2_000, ge=1, le=50_000, description="Messages that are prepared and sent at a time."
    )
    account_slots: int = Field(
        default=16,
        ge=1,
        le=256,
        description="Jobs that serve one account at a platform at a time, over all workers.",
    )
    serving_concurrency: int = Field(
        default=32,
        ge=1,
        le=256,
        description="Jobs that serve accounts which one worker runs at a time, beside the others.",
    )
    send_concurrency: int = Field(
        default=8,
        ge=1,
        le=256,
        description="Requests to a platform that one job has open at a time.",
    )
    send_timeout_seconds: float = Field(
        default=15.0, gt=0, description="After it a request without an answer is in doubt."
    )
    upload_limit_megabytes: int = Field(
        default=20_000, ge=1, description="Largest file that an import takes."
    )
    import_folder: Path | None = Field(
        default=None,
        description="Folder on the workers' machines whose files and SQLite or DuckDB databases "
        "may be imported by feeds. Empty: none.",
    )
    no_receipt_hours: int = Field(
        default=72, ge=1, description="After it a message without a receipt is failed: no receipt."
    )
    in_doubt_hours: int = Field(
        default=72,
        ge=1,
        le=720,
        description="After it a request that nothing and nobody settled is failed: in doubt. No "
        "longer than platforms remember keys.",
    )
    review_days: int = Field(
        default=14, ge=1, le=365, description="After it a campaign under review is cancelled."
    )
    paused_days: int = Field(
        default=30, ge=1, le=365, description="After it a paused campaign is cancelled."
    )
    sending_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="Standing still so long, a campaign fails what has not left: not sent in time.",
    )
    plan_attempts: int = Field(
        default=60,
        ge=1,
        le=100,
        description="After so many attempts without an end, about an hour, a plan is failed.",
    )
    message_months: int = Field(
        default=13,
        ge=0,
        le=1_200,
        description="Whole months of messages that stay in the ledger beside the present one; "
        "older ones move to the warehouse. 0: all stay for ever.",
    )
    audit_months: int = Field(
        default=36, ge=0, le=1_200, description="Months that the audit log is kept; 0: for ever."
    )
    link_days: int = Field(
        default=90, ge=1, le=3650, description="Days a short link lives by default."
    )
    carrier_ranges: str = Field(
        default="",
        max_length=10_000,
        description="Corrections of the number ranges by which the mainland's carriers are told: "
        "three or four digits and mobile, unicom, telecom, broadnet or none. 174=telecom 1620=none",
    )
    log_format: str = Field(default="json", pattern="^(json|text)$", description="json or text.")
    demo_seed: int = Field(default=1, description="Seed of the demo's shop and of the sandbox.")

    @field_validator("carrier_ranges")
    @classmethod
    def _check_carrier_ranges(cls, text: str) -> str:
        try:
            PUBLIC_RANGES.changed(text)
        except CarrierRangesNotUnderstood as refusal:
            raise ValueError(refusal.sentence) from None
        return text

    @property
    def shared_folder(self) -> Path:
        """The folder of what every process must find: that of all machines, or the data folder."""
        return (self.shared or self.data).resolve()


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings.

    Raises:
        SettingInvalid: an unknown name, or a value that does not fit.
    """
    values = _values(os.environ if environment is None else environment)
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        raise SettingInvalid(PREFIX + unknown[0].upper(), "There is no such setting.")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        problem = first["msg"].removeprefix("Value error, ").removesuffix(".")
        raise SettingInvalid(name, problem + ".") from None


def _values(environment: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX) or name in CLIENT_NAMES or not value:
            continue
        field = name.removeprefix(PREFIX).lower()
        if field.endswith("_file"):
            field = field.removesuffix("_file")
            value = _content_of(name, Path(value))  # noqa: PLW2901 - the file's content is the value
        values[field] = value
    return values


def _content_of(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingInvalid(name, f"The file cannot be read ({error.strerror}).") from None

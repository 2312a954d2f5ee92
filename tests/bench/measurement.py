"""What a benchmark returns, and the installation it may use."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from textwave.storage.embedded import DatabaseUrls


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure and the baseline of the same run.

    `ratio` is value / baseline when more is better, and time / baseline time when less is better.
    """

    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None
    n: int
    detail: dict[str, float]

    def line(self) -> str:
        """Return the JSON line."""
        machine = f"{os.cpu_count()} x {platform.machine()}"
        return json.dumps({**asdict(self), "machine": machine})


@dataclass(frozen=True, slots=True)
class Place:
    """A fresh migrated database (fsync as in production) and an empty folder, for one benchmark."""

    urls: DatabaseUrls
    folder: Path

"""What can be wrong with Apache Spark, as refusals that say what to do."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal

_LONGEST: Final = 300
_of_java = re.compile(r"^(?:: )?(?:[\w$]+\.)+[\w$]*(?:Exception|Error): *")
_value = re.compile("'[^']*'")  # it may be a customer's
_said_by_py4j = re.compile(r"^An error occurred while calling \S+\n?")


@dataclass(eq=False)
class SparkMissing(Refusal):
    """Spark is asked for by the settings but not installed."""

    code: ClassVar[str] = "spark_missing"

    @property
    def sentence(self) -> str:
        return (
            "TEXTWAVE_SPARK is set, but Apache Spark is not installed here. "
            "Run: pip install 'textwave[spark]'"
        )


@dataclass(eq=False)
class SparkFailed(Refusal):
    """Spark could not compute something."""

    code: ClassVar[str] = "spark_failed"
    master: str
    problem: str

    @property
    def sentence(self) -> str:
        return (
            f"Apache Spark at {self.master} could not compute it: {self.problem} "
            "The driver's and executors' logs say more; every node must reach the warehouse's "
            "folder under the same path and be allowed to read it."
        )


@dataclass(eq=False)
class SparkUnreachable(SparkFailed):
    """Spark did not start, or its master did not answer."""

    code: ClassVar[str] = "spark_unreachable"

    @property
    def sentence(self) -> str:
        return (
            f"Apache Spark at {self.master} cannot be used: {self.problem} It needs Java 17 or "
            "newer here (JAVA_HOME), and a cluster of the same Spark version that answers at "
            "TEXTWAVE_SPARK."
        )


def reason(failure: BaseException) -> str:
    """Return what a failure says in one sentence, without Java's names, traces and values."""
    java = getattr(failure, "java_exception", None)
    said = str(failure) if java is None else str(java.toString())
    said = _of_java.sub("", _said_by_py4j.sub("", said.strip()))
    line = next((line.strip() for line in said.splitlines() if line.strip()), "")
    line = line or type(failure).__name__
    line = _value.sub("'…'", line)
    short = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
    return short if short.endswith((".", "…")) else short + "."

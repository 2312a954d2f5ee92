"""The program that looks at one file, apart from the processes that serve: file in, answer out.

It gives itself limits of memory and time first, so that a file which is made to exhaust or crash a
decoder ends this process alone.
"""

import resource
import sys
from typing import Final

import msgspec

from textwave.materials.kinds import LARGEST_BYTES, Examined, MaterialNotAcceptable

_CPU_SECONDS: Final = 20
_MEMORY_BYTES: Final = 2 << 30


class Answer(msgspec.Struct, frozen=True):
    """What the program says: either the file examined, or what is wrong with it."""

    examined: Examined | None = None
    problem: str = ""


def main() -> None:
    """Read a file from standard input, and write the answer to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    from textwave.materials.examination import examine

    content = sys.stdin.buffer.read(LARGEST_BYTES + 1)
    try:
        answer = Answer(examine(content))
    except MaterialNotAcceptable as refusal:
        answer = Answer(problem=refusal.problem)
    except MemoryError:
        answer = Answer(problem="takes too much memory to be shown. Scale it down.")
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()

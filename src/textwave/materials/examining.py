"""Having a file examined by a process of its own, a few at a time.

Refuses what the process refuses, and what makes it crash or take longer than it may.
"""

import asyncio
import os
import subprocess
import sys
import threading
from typing import Final

import msgspec

from textwave.materials.examiner import Answer
from textwave.materials.kinds import Examined, MaterialNotAcceptable

_SECONDS: Final = 30
_AT_A_TIME: Final = 2
_KNOWN_TO_IT: Final = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR")
"""What of the environment the process gets: no settings of ours, since some are secrets."""
_free = threading.BoundedSemaphore(_AT_A_TIME)


async def examined(content: bytes) -> Examined:
    """Look at a file.

    Raises:
        MaterialNotAcceptable: says what is wrong and what would be right.
    """
    return await asyncio.to_thread(_ask, content)


def _ask(content: bytes) -> Examined:
    command = [sys.executable, "-m", "textwave.materials.examiner"]
    try:
        with _free:
            done = subprocess.run(
                command,
                input=content,
                capture_output=True,
                timeout=_SECONDS,
                check=True,
                env={name: os.environ[name] for name in _KNOWN_TO_IT if name in os.environ},
            )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        problem = "cannot be examined: it exhausts or crashes the decoder. Save or export it again."
        raise MaterialNotAcceptable(problem) from error
    answer = msgspec.msgpack.decode(done.stdout, type=Answer)
    if answer.examined is None:
        raise MaterialNotAcceptable(answer.problem)
    return answer.examined

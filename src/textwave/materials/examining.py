"""Having a file examined by a process of its own, a few at a time.

Refuses what the process refuses, and what makes it crash or take longer than it may.
"""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from textwave.materials.examiner import Answer
from textwave.materials.kinds import Examined, MaterialNotAcceptable

_SECONDS: Final = 30
_AT_A_TIME: Final = 2
_KNOWN_TO_IT: Final = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR")
"""What of the environment the process gets: no settings of ours, since some are secrets."""
# Threads of its own: files that wait must not keep the process's other work from a thread.
_places: Final = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="examining")


async def examined(content: bytes) -> Examined:
    """Look at a file.

    Raises:
        MaterialNotAcceptable: says what is wrong and what would be right.
    """
    return await asyncio.get_running_loop().run_in_executor(_places, _ask, content)


def _ask(content: bytes) -> Examined:
    command = [sys.executable, "-m", "textwave.materials.examiner"]
    try:
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

"""A simulated third-party platform that speaks the whole contract, and the witness of what came.

For the demo, trials and tests. Every decision of chance comes from the seed and the message or
number, so a run repeats whatever the timing. It keeps its messages in memory and refuses more
than its settings allow.
"""

from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.program import serve
from textwave.platforms.sandbox.settings import SandboxSettings

__all__ = ["SandboxSettings", "build_application", "serve"]

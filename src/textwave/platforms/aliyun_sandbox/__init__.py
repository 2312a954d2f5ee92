"""A local stand-in for Alibaba Cloud's SMS service, and the witness of what came.

For the demo, trials and tests. It speaks the wire format of the real one, checks every signature
for real, and refuses with the codes of the real one. What public documents do not say is decided
here in one way, and said where it is decided. It keeps its messages in memory, and bounded.
"""

from textwave.platforms.aliyun_sandbox.application import build_application
from textwave.platforms.aliyun_sandbox.program import serve
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.world import StandIn

__all__ = ["StandIn", "StandInSettings", "build_application", "serve"]

"""The battery that tells whether a platform keeps the third-party contract.

One named rule for each thing that Textwave counts on; a finding says of each rule what failed and
why. The rules judge by what can be seen over HTTP and know nothing of how a platform is made.
"""

from textwave.platforms.conformance.battery import RULES, Finding, check

__all__ = ["RULES", "Finding", "check"]

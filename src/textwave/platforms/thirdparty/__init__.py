"""Third-party platforms: whoever implements the contract in docs/reference/platform-openapi.json.

Take from here; the modules inside are this adapter's own business and the sandbox's.
"""

from textwave.platforms.exchange import Limits
from textwave.platforms.thirdparty.adapter import ThirdPartyPlatform
from textwave.platforms.thirdparty.callbacks import (
    MalformedCallback,
    parse_receipts,
    parse_replies,
    parse_reviews,
)

__all__ = [
    "Limits",
    "MalformedCallback",
    "ThirdPartyPlatform",
    "parse_receipts",
    "parse_replies",
    "parse_reviews",
]

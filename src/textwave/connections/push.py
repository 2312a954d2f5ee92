"""Where a platform that signs nothing may call: a path that nobody can guess.

The secret in the path is derived from the installation's key, the account's id and a version: it
is nowhere stored, survives a change of the platform's key, and a new version makes it worthless.
"""

from base64 import urlsafe_b64encode
from enum import StrEnum
from typing import Final

from textwave.connections.accounts import PlatformAccount, PlatformKind
from textwave.kit.ids import PlatformId
from textwave.storage.secrets import Vault


class AliyunReport(StrEnum):
    """What Alibaba Cloud pushes, each to an address of its own, by its own names."""

    receipts = "SmsReport"
    replies = "SmsUp"
    signature_reviews = "SignSmsReport"
    template_reviews = "TemplateSmsReport"


CALLBACK_KINDS: Final = ("receipts", "replies", "reviews")
"""What a third-party platform pushes, signed."""


def push_secret(vault: Vault, platform_id: PlatformId, version: int) -> str:
    """Return the secret part of the paths that an account is pushed to.

    By its id, which is never given twice: who deletes an account must not know the paths of the
    next one of that name.
    """
    derived = vault.derive(f"push address {version} of platform {platform_id}")
    return urlsafe_b64encode(derived).decode().rstrip("=")


def push_addresses(account: PlatformAccount, vault: Vault, public_url: str) -> dict[str, str]:
    """Return the addresses to enter at the platform, by what is pushed to each.

    `public_url` is where the platform reaches this installation, such as https://sms.example.com.
    """
    root = f"{public_url.rstrip('/')}/callbacks/{account.name}"
    if account.kind is PlatformKind.ALIYUN:
        secret = push_secret(vault, account.id, account.push_version)
        return {report.value: f"{root}/aliyun/{secret}/{report}" for report in AliyunReport}
    return {kind: f"{root}/{kind}" for kind in CALLBACK_KINDS}

"""The carriers of the Chinese mainland, and whose range a number comes from."""

from enum import StrEnum


class Carrier(StrEnum):
    """A carrier that reviews signatures and digital templates for its own numbers."""

    MOBILE = "mobile"
    UNICOM = "unicom"
    TELECOM = "telecom"
    BROADNET = "broadnet"

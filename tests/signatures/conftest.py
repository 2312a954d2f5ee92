"""Signatures are tested at the place where templates are."""

from tests.content.conftest import caller, gateway, opener, place, write

__all__ = ["caller", "gateway", "opener", "place", "write"]

"""Signatures are tested at the place where templates are."""

from tests.content.conftest import ali, caller, gateway, opener, place, stand_in, write

__all__ = ["ali", "caller", "gateway", "opener", "place", "stand_in", "write"]

"""The shop of `tests.people_stage`."""

from tests.people_stage import shop

__all__ = ["shop"]

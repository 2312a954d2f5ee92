import importlib
import pkgutil

import textwave
from textwave.api.problems import STATUSES, status_of
from textwave.kit.refusal import Refusal


def _all_refusals(base: type[Refusal]) -> set[type[Refusal]]:
    known = {base}
    for refusal in base.__subclasses__():
        known |= _all_refusals(refusal)
    return {one for one in known if one.__module__.startswith("textwave.")}


def test_every_refusal_of_the_package_has_a_status() -> None:
    for module in pkgutil.walk_packages(textwave.__path__, "textwave."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)

    missing = {refusal.code for refusal in _all_refusals(Refusal)} - set(STATUSES)

    assert not missing


def test_a_code_without_a_row_is_not_acceptable_as_given() -> None:
    assert status_of("never heard of") == 422

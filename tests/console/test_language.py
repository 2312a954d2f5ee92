"""Both languages are whole, and the reader's own choice comes first."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from textwave.console import language, pages
from textwave.console.language import CATALOGS, choose_language
from textwave.responses.intent import Intent
from textwave.responses.receipts import CAUSES

PROJECT = Path(__file__).parents[2]


def extracted() -> set[str]:
    """Return every message of the console's sources, as babel.cfg says."""
    with (PROJECT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(PROJECT, methods, options, directory_filter=_is_source)
    return {str(message) for _, _, message, _, _ in found}


def _is_source(folder: str) -> bool:
    path = Path(folder)
    source = PROJECT / "src" / "textwave" / "console"
    return path == PROJECT or path in source.parents or source in (path, *path.parents)


def test_the_chinese_catalog_is_in_step_with_the_sources() -> None:
    path = CATALOGS / "zh_CN" / "LC_MESSAGES" / "messages.po"
    translated = read_po(BytesIO(path.read_bytes()), locale="zh_CN")
    assert {str(message.id) for message in translated if message.id} == extracted()


def test_no_chinese_message_is_missing_unsure_or_loses_a_value() -> None:
    path = CATALOGS / "zh_CN" / "LC_MESSAGES" / "messages.po"
    for message in read_po(BytesIO(path.read_bytes()), locale="zh_CN"):
        if message.id:
            assert message.string, message.id
            assert not message.fuzzy, message.id
            assert not list(message.check()), message.id


def test_every_cause_and_intent_of_the_domain_has_its_words() -> None:
    assert set(language.CAUSES) >= CAUSES
    assert set(language.INTENTS) == {str(intent) for intent in Intent}


def test_a_word_nobody_knows_is_shown_as_it_is() -> None:
    assert pages.word("cause", "struck by lightning", "zh_CN") == "struck by lightning"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language_taken"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        (None, "de, en;q=0.5, zh;q=0.7", "zh_CN"),
        (None, "zh;q=0, en", "en"),
        (None, "zh;q=high, *", "en"),
        ("en", "zh-CN", "en"),
        ("xx", "zh-CN", "zh_CN"),
    ],
)
def test_the_readers_choice_comes_before_the_browsers(
    chosen: str | None, accepted: str, language_taken: str
) -> None:
    assert choose_language(chosen, accepted) == language_taken

"""What a reviewer would send back, found while the text is written.

`lint` returns every finding with its place; `check_text` refuses errors. A platform's reviewer
still decides: a text without findings may be rejected.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.content.variables import MalformedVariable, TemplateText, parse
from textwave.kit.findings import Finding, Severity, error, warning
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import MessageType

LONGEST_TEXT: Final = 500
_FIRST_HAN: Final = "\u4e00"
OPT_OUT_TEXTS: Final = ("拒收请回复R", "回T退订")
"""Wordings that tell how to opt out, whatever the platform's own is."""

TRADITIONAL_SAMPLE: Final = frozenset(
    "們個這來時會說對國學開關請應還麼過與點發經嗎無當從動門問間東車馬魚鳥龍長見貝頁風飛進運達"
    "選邊連錢銀鐵銷鋪員買賣賞賀費質貨購贈贏趕輕輸轉辦務勞勝動勵區協單號圍園圖團場報壓壞處備"
    "夠奪獎婦媽孫學實寫寶專導層屬島幣師帶幫幹幾廠廣廳張強彈從復憶懷戰戲戶據掃換揮損搶擇擊擔"
    "擴擺攝敗數斷書條極構槍樂樓標樣機檔檢歡歲歷歸殺殘氣決沒測準溝滅滿漢漲潔灣為烏熱燈爭爾狀獨"
    "獲現環產畫異療發盜盡監盤眾確禮種稱積穩窮筆節範築簡籤糧紀約紅級紙細終組結給統絕經綠維網緊"
    "線練縣總績織續羅義習聖聞聯聲職聽肅膚臉臨舊莊華萬葉蓋藝藥蘇蘭虛蟲術衛補裝視親覺觀計訂訊討"
    "訓記設許訴診詞試詩話該詳認語誤課誰調談論證譯議護讀變讓豐貴資軍較輪農遊遠適遲郵鄉醫釋錄鍋"
    "鍵鎮鏡鐘閃閉閱陳陰陽陸階際隨險隻雖雙雜難電靈靜響項順須預領頭題額願類顯飯飲館驗驚體鮮麗"
    "黃齊優價億減傳會員兒內兩冊凍剛創劃劇"
)
"""Frequent characters that only traditional Chinese writes. A sample, not the whole list."""

_brackets = re.compile("[【】]")
_traditional = re.compile(f"[{''.join(sorted(TRADITIONAL_SAMPLE))}]")
_emoji = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u2604\u2607-\u263f\u2641\u2643-\u27bf\ufe0f\u20e3]"
)
_unshown = re.compile(
    r"[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    r"\ue000-\uf8ff\U000e0000-\U0010ffff]"
)
_joiner = "\u200d"
_mobile = re.compile(r"(?<![\d-])(?:\+?86[ -]?)?1[3-9]\d{9}(?!\d)")
_link_variable = re.compile(r"(?:https?://)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/[^\s$]*\$\{")
_lookalike = re.compile(r"[$＄]?｛\w+｝|＄\{\w+\}|(?<!\$)\{[A-Za-z_]\w*\}")


@dataclass(frozen=True, slots=True)
class TextRules:
    """What a platform asks of a text of this type; no `opt_out_text` means it has none.

    `wants_opt_out_text`: a promotion is better with one even if the account has none.
    `doubts_links_ending_in_variables`: its reviewers often send such texts back.
    """

    message_type: MessageType
    opt_out_text: str = ""
    refuses_emoji: bool = False
    refuses_traditional: bool = False
    refuses_mobile_numbers: bool = False
    doubts_links_ending_in_variables: bool = False
    wants_opt_out_text: bool = False
    most_variables: int | None = None
    longest: int = LONGEST_TEXT


@dataclass(eq=False)
class TextNotAcceptable(Refusal):
    """A text has errors that its review would fail on."""

    code: ClassVar[str] = "text_not_acceptable"
    findings: list[Finding]

    @property
    def sentence(self) -> str:
        return " ".join(finding.sentence for finding in self.findings)


def lint(text: str, rules: TextRules) -> list[Finding]:
    """Return what is wrong with a template text, in the order of the text."""
    findings = [*_length(text, rules), *_characters(text, rules), *_opt_out(text, rules)]
    try:
        findings += _variables(parse(text), rules)
    except MalformedVariable as malformed:
        findings.append(error(malformed.code, malformed.position, malformed.sentence))
    return sorted(findings, key=lambda finding: finding.position)


def check_text(text: str, rules: TextRules) -> list[Finding]:
    """Return the warnings on a text.

    Raises:
        TextNotAcceptable: the text has errors.
    """
    findings = lint(text, rules)
    if errors := [finding for finding in findings if finding.severity is Severity.ERROR]:
        raise TextNotAcceptable(errors)
    return findings


def _length(text: str, rules: TextRules) -> Iterator[Finding]:
    if not text or text.isspace():
        yield error("text_empty", 0, "The text is empty. Write at least one character.")
    elif text != text.strip():
        at_start = text[0].isspace()
        position = 0 if at_start else len(text.rstrip())
        sentence = f"White space at the {'start' if at_start else 'end'} is counted and billed."
        yield warning("outer_white_space", position, sentence)
    if len(text) > rules.longest:
        sentence = f"The text has {len(text)} characters; at most {rules.longest} are allowed."
        yield error("text_too_long", rules.longest, sentence)


def _characters(text: str, rules: TextRules) -> Iterator[Finding]:
    if found := _brackets.search(text):
        sentence = "【】 are for the signature alone, which is put in front. Use other brackets."
        yield error("signature_brackets_in_text", found.start(), sentence)
    if found := _invisible(text):
        sentence = f"U+{ord(found[0]):04X} cannot be shown on phones. Take it out."
        yield error("unsupported_character", found.start(), sentence)
    if rules.refuses_emoji and (found := _emoji.search(text)):
        sentence = f"The platform takes no emoji such as “{found[0]}”. Take it out."
        yield error("emoji", found.start(), sentence)
    if rules.refuses_traditional and (found := _traditional.search(text)):
        sentence = f"“{found[0]}” is traditional Chinese; the platform takes simplified only."
        yield error("traditional_characters", found.start(), sentence)
    elif rules.refuses_traditional and (found := _perhaps_traditional(text)) >= 0:
        sentence = f"“{text[found]}” may be traditional Chinese, which the platform refuses."
        yield warning("perhaps_traditional", found, sentence)
    if rules.refuses_mobile_numbers and (found := _mobile.search(text)):
        sentence = "The platform takes no mobile numbers in texts. Give a landline or a link."
        yield error("mobile_number", found.start(), sentence)
    if found := _lookalike.search(text):
        sentence = f"“{found[0]}” will be sent as it stands. A variable is written ${{name}}."
        yield warning("looks_like_a_variable", found.start(), sentence)


def _invisible(text: str) -> re.Match[str] | None:
    """Find a character without a shape of its own; one that joins two emoji has a use."""
    for found in _unshown.finditer(text):
        if found[0] != _joiner or not _emoji.match(text, found.end()):
            return found
    return None


def _perhaps_traditional(text: str) -> int:
    """Return the place of a character that Taiwan's standard has and the mainland's has not."""
    for place, character in enumerate(text):
        if character < _FIRST_HAN or character.encode("gb2312", "ignore"):
            continue
        if character.encode("big5", "ignore"):
            return place
    return -1


def _opt_out(text: str, rules: TextRules) -> Iterator[Finding]:
    wanted = rules.opt_out_text
    if rules.message_type is MessageType.notification:
        for wording in dict.fromkeys((wanted, *OPT_OUT_TEXTS)):
            if wording and (position := text.find(wording)) >= 0:
                sentence = f"A notification must not say “{wording}”. Take it out."
                yield error("opt_out_text_forbidden", position, sentence)
    elif rules.message_type is MessageType.promotional and not text.rstrip().endswith(wanted):
        sentence = f"A promotional text must end with “{wanted}”. Put it at the end."
        yield error("opt_out_text_missing", len(text), sentence)
    elif rules.wants_opt_out_text and not text.rstrip().endswith(OPT_OUT_TEXTS):
        sentence = f"Promotions end with how to opt out, such as “{OPT_OUT_TEXTS[0]}”."
        yield warning("opt_out_text_missing", len(text), sentence)


def _variables(template: TemplateText, rules: TextRules) -> Iterator[Finding]:
    if template.variables and not "".join(template.literals).strip():
        yield error("only_variables", 0, "The text is nothing but variables. Write words around.")
    end_before = -1
    seen: set[str] = set()
    for variable in template.variables:
        if variable.position == end_before:
            sentence = f"Nothing stands between “{variable.name}” and the variable before it."
            yield error("adjacent_variables", variable.position, f"{sentence} Put a word there.")
        if variable.name in seen:
            sentence = f"The variable “{variable.name}” stands here again. Use another name."
            yield error("repeated_variable", variable.position, sentence)
        seen.add(variable.name)
        end_before = variable.end
    named = [variable for variable in template.variables if not variable.is_token]
    most = rules.most_variables
    if most is not None and len(named) > most:
        extra = named[most]
        sentence = f"The platform takes at most {most} variable in such a text. Take it out."
        yield error("too_many_variables", extra.position, sentence)
    if rules.doubts_links_ending_in_variables and (found := _link_variable.search(template.text)):
        sentence = (
            "Reviewers often refuse an address that ends in a variable, unless its domain is known "
            "to be the company's own."
        )
        yield warning("link_with_variable", found.start(), sentence)

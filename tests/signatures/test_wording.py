import pytest

from textwave.signatures.wording import SignatureNotAcceptable, check_signature


@pytest.mark.parametrize("signature", ["云", "阿里云", "Shop-24", "字" * 18, "O'Neil&Co."])
def test_a_signature_typed_plainly_is_accepted(signature: str) -> None:
    check_signature(signature)


@pytest.mark.parametrize(
    ("signature", "code", "position"),
    [
        ("", "signature_empty", 0),
        ("【阿里云】", "signature_brackets", 0),
        ("云(上海)", "signature_brackets", 1),
        ("[Shop]", "signature_brackets", 0),
        ("云（上海）", "signature_brackets", 1),
        ("my shop", "signature_white_space", 2),
        ("云\u3000店", "signature_white_space", 1),
        ("云\x00", "signature_white_space", 1),
        ("云\u200b", "signature_white_space", 1),
        ("字" * 19, "signature_too_long", 18),
    ],
)
def test_a_signature_typed_otherwise_is_refused(signature: str, code: str, position: int) -> None:
    with pytest.raises(SignatureNotAcceptable) as refused:
        check_signature(signature)
    found = [(finding.code, finding.position) for finding in refused.value.findings]
    assert found == [(code, position)]


def test_a_signature_with_its_brackets_is_told_what_to_do() -> None:
    with pytest.raises(SignatureNotAcceptable) as refused:
        check_signature("【阿里云】")
    assert refused.value.sentence == (
        "Type the signature without brackets, they are added when sending."
    )

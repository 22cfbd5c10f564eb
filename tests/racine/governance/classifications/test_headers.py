"""Headers are read by whole words."""

import pytest

from racine.governance.classifications.catalogue import vocabulary
from racine.governance.classifications.features import read_header
from racine.governance.classifications.headers import silent, words


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("BirthDate", ("birth", "date")),
        ("EmailAddressID", ("email", "address", "id")),
        ("BILLINGADDRESS1", ("billing", "address")),
        ("dateofbirth", ("dateofbirth",)),
        ("IPAddress2", ("ip", "address")),
        ("Straße Nr.", ("strasse", "nr")),
        ("届け先住所", ("届け先", "住所")),
        ("scenario_code", ("scenario", "code")),
    ],
)
def test_headers_are_split_into_words(header: str, expected: tuple[str, ...]) -> None:
    assert words(header, vocabulary()) == expected


@pytest.mark.parametrize("header", ["", "column_3", "Unnamed: 2", "c5", "field", "17"])
def test_a_header_without_meaning_is_silent(header: str) -> None:
    assert silent(header)


def test_no_word_is_found_inside_another() -> None:
    for header in ("pageview", "manager_id_hash", "capacity", "tellings", "sexagesimal"):
        kinds = {m.phrase.kind for m in read_header(header).matches if m.phrase.strong}
        assert not kinds & {"age", "city", "phone", "gender"}


def test_the_longer_phrase_covers_the_shorter() -> None:
    assert {m.phrase.kind for m in read_header("ip_address").matches} == {"ip_address"}

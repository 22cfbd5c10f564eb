"""Numbers with check digits keep the rules they claim, and sample cards break theirs."""

from importlib import import_module
from random import Random
from typing import Any

import pytest
from stdnum import iban, luhn

from bench.estates.locale import locale
from bench.estates.people import draw_person, draw_place
from bench.estates.specification import parse_column
from bench.estates.values import MAKERS, Row
from bench.estates.values.identity import NATIONAL_IDS, national_number, vin_check
from bench.estates.values.lookalikes import CHECKED, valid
from bench.estates.values.money import BBANS, card_number, iban_number


def _rules(module: str) -> Any:
    return import_module(f"stdnum.{module}")


@pytest.mark.parametrize("state", sorted(NATIONAL_IDS))
def test_a_national_number_keeps_its_states_rules(state: str) -> None:
    random = Random(state)
    module, _ = NATIONAL_IDS[state]

    for _ in range(5):
        person = draw_person(locale("en_GB"), random)
        _rules(module).validate(national_number(state, person, random))


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_a_checked_key_keeps_its_rules(name: str) -> None:
    module, pattern, _ = CHECKED[name]

    _rules(module).validate(valid(module, pattern, Random(name)))


@pytest.mark.parametrize("country", [*sorted(BBANS), "ES"])
def test_an_iban_has_its_countrys_shape_and_check_digits(country: str) -> None:
    random = Random(country)

    for _ in range(5):
        iban.validate(iban_number(random, country), check_country=country == "ES")


def test_cards_satisfy_luhn_and_sample_cards_mostly_do_not() -> None:
    random = Random("cards")
    row = _row(random)
    samples = [MAKERS["card_sample"].make(row, random, "") for _ in range(200)]

    assert all(luhn.is_valid(card_number(random)) for _ in range(200))
    assert sum(map(luhn.is_valid, samples)) < 60


def test_american_vins_have_the_check_character_of_a_published_example() -> None:
    random = Random("vin")
    numbers = [MAKERS["vin"].make(_row(random), random, "") for _ in range(50)]

    assert vin_check("1M8GDM9AXKP042788") == "X"
    assert all(number[8] == vin_check(number) and len(number) == 17 for number in numbers)


def test_an_unknown_mess_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown mess '~nul5'"):
        parse_column("Name", "full_name ~nul5")


def _row(random: Random) -> Row:
    words = locale("en_US")
    person, place = draw_person(words, random), draw_place(words, random)
    return Row(0, 1, words, person, person, place)

"""Why a verdict: ranked types, what counted, what would change it, and no value."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from racine.errors import NotFound
from racine.governance.classifications.custom import from_words
from racine.governance.classifications.engine import (
    ClassifySettings,
    ColumnEvidence,
    TableEvidence,
    gather,
)
from racine.governance.classifications.explaining import explain, split_column

CARDS = ["4539578763621486", "5425233430109903", "374245455400126", "6011000991300009"]


def table(**columns: Sequence[str]) -> TableEvidence:
    return TableEvidence(
        name="payments",
        columns=tuple(
            ColumnEvidence(name=name, evidence=gather(Counter(values)))
            for name, values in columns.items()
        ),
    )


def test_an_explanation_ranks_types_by_confidence_with_their_thresholds() -> None:
    told = explain(table(card_number=CARDS), "card_number")
    best = told.ranked[0]
    assert (told.kinds, told.sensitivity) == (("credit_card",), "restricted")
    assert (best.classifier, best.holds) == ("payment_card", True)
    assert best.confidence >= best.threshold
    assert (best.values_passing, best.values_read) == (4, 4)
    assert best.chance is not None
    assert best.chance < 0.1
    assert [r.confidence for r in told.ranked] == sorted(
        (r.confidence for r in told.ranked), reverse=True
    )


def test_it_tells_what_the_verdict_would_be_without_the_name() -> None:
    failing = [f"{card[:-1]}{(int(card[-1]) + 1) % 10}" for card in CARDS]
    told = explain(table(card_number=failing), "card_number")
    without = next(change for change in told.changes if change.what == "without its name")
    assert told.kinds == ("credit_card",)
    assert without.kinds == ()
    assert without.words == "Without its name it would hold nothing."


def test_it_names_the_header_under_which_a_near_miss_would_count() -> None:
    draw = random.Random(3)
    days = [
        f"{draw.randint(1950, 2000)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}" for _ in CARDS
    ]
    told = explain(table(column_1=days), "column_1")
    assert told.kinds == ()
    assert "Ruled out: nobody stands beside the dates" in told.ranked[0].evidence.words
    change = next(c for c in told.changes if c.name == "date of birth")
    assert change.kinds == ("date_of_birth",)


def test_a_threshold_of_the_rule_set_is_the_one_shown() -> None:
    strict = ClassifySettings(thresholds={"email": 0.9999})
    told = explain(table(mail=["a@example.org", "b@example.org"]), "mail", strict)
    assert told.ranked[0].threshold == 0.9999
    assert not told.ranked[0].holds


def test_types_of_users_are_explained_too() -> None:
    floor = from_words("floor", ["ground", "first", "attic"], headers=["floor"])
    evidence = gather(Counter(["ground", "first", "attic"]), using=(floor,))
    shown = TableEvidence(name="t", columns=(ColumnEvidence(name="floor", evidence=evidence),))
    told = explain(shown, "floor", own=(floor,))
    assert told.ranked[0].classifier == "floor"
    assert told.ranked[0].values_passing == 3


def test_no_value_is_in_an_explanation() -> None:
    secrets = [f"zaphod{n}@beeblebrox.example" for n in range(30)]
    told = explain(table(mail=secrets), "mail").model_dump_json()
    assert "zaphod" not in told
    assert "beeblebrox" not in told


def test_an_empty_column_is_explained_as_empty() -> None:
    told = explain(table(nothing=[]), "nothing")
    assert (told.rows, told.ranked, told.changes) == (0, (), ())


def test_an_unknown_column_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="has no column 'iban'") as refused:
        explain(table(card_number=CARDS), "iban")
    assert "card_number" in refused.value.next_step


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("customers.email", ("customers", "email")),
        ("public.orders.v1.mail", ("public.orders.v1", "mail")),
        ("hr/people.csv.first.name", ("hr/people.csv", "first.name")),
        ("people.mail", ("hr/people.csv", "mail")),
        ("people.csv.mail", ("hr/people.csv", "mail")),
    ],
)
def test_table_and_column_are_told_apart_where_both_hold_dots(
    text: str, expected: tuple[str, str]
) -> None:
    tables = ["customers", "public.orders.v1", "public.orders", "hr/people.csv"]
    assert split_column(text, tables) == expected


def test_a_table_that_is_none_is_refused_with_those_that_come_near() -> None:
    with pytest.raises(NotFound, match="begins with no table") as refused:
        split_column("custmers.email", ["customers", "orders"])
    assert "customers" in refused.value.next_step


def test_a_table_without_a_column_is_told_to_be_one() -> None:
    with pytest.raises(NotFound, match="'people' is a table") as refused:
        split_column("people", ["hr/people.csv"])
    assert refused.value.next_step == "Write hr/people.csv.COLUMN."


def test_what_free_text_contains_is_told_by_its_texts_not_by_a_check() -> None:
    notes = [f"write to person{n}@example.com please" for n in range(20)] + ["nothing here"] * 5
    told = explain(table(note=notes), "note")
    (found,) = [item for item in told.ranked if item.holds]
    assert (found.mode, found.values_passing, found.confidence) == ("contains", None, 0.999)
    assert found.evidence.words == "E-mail address stands in 20 of 21 texts."
    assert told.changes[0].words == "Without its name it would still contain email with >99%."

"""Every classifier on its own examples, and the catalogue as a whole."""

from collections import Counter

import pytest

from racine.errors import InvalidInput
from racine.governance.classifications.catalogue import Classifier, chances, classifiers, parse
from racine.governance.classifications.own_examples import failures

PACKS = set("core international us uk eu in br jp kr cn au ca mx za tr".split())


@pytest.mark.parametrize("entry", classifiers(), ids=lambda entry: entry.id)
def test_a_classifier_judges_its_own_examples_as_stated(entry: Classifier) -> None:
    assert entry.matching or entry.matching_columns, "an example that must match is missing"
    assert entry.rejecting or entry.rejecting_columns, "an example that must not match is missing"
    assert list(failures(entry)) == []


def test_a_type_that_only_its_header_tells_is_shown_by_columns() -> None:
    named = [e for e in classifiers() if e.name_alone]
    assert [e.id for e in named if not (e.matching_columns and e.rejecting_columns)] == []
    assert [e.id for e in named if e.matching or e.rejecting] == []


def test_an_example_judged_otherwise_than_stated_is_told() -> None:
    wrong = {"match": [{"shelf": ["1"]}, "B-1"], "reject": [{"badge": ["B-1"]}, "B-1204"]}
    declared = {"id": "x", "headers": ["badge"], "shape": "[A-Z]-9999", "examples": wrong}
    told = list(failures(parse(declared, "custom")))
    assert told == [
        "x refuses B-1",
        "x accepts B-1204",
        "x does not see the column shelf",
    ]


def test_there_are_at_least_120_types_in_all_packs() -> None:
    assert len(classifiers()) >= 120
    assert {e.pack for e in classifiers()} == PACKS


def test_ids_are_unique() -> None:
    assert [i for i, count in Counter(e.id for e in classifiers()).items() if count > 1] == []


def test_every_type_with_a_check_digit_has_a_measured_chance_rate() -> None:
    assert [e.id for e in classifiers() if e.check and e.id not in chances()] == []
    assert 0.005 < next(e for e in classifiers() if e.id == "br_cpf").chance < 0.02


def test_an_unknown_validator_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="own-brand:x"):
        parse({"id": "x", "validator": "own-brand:x"}, "mine")

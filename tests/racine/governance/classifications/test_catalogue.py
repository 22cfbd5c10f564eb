"""Every classifier on its own examples, and the catalogue as a whole."""

from collections import Counter

import pytest

from racine.errors import InvalidInput
from racine.governance.classifications.catalogue import Classifier, chances, classifiers, parse
from racine.governance.classifications.gathering import accepts

PACKS = set("core international us uk eu in br jp kr cn au ca mx za tr".split())
TESTABLE = [e for e in classifiers() if e.matching]


@pytest.mark.parametrize("entry", TESTABLE, ids=lambda entry: entry.id)
def test_a_classifier_accepts_its_examples_and_nothing_it_must_refuse(entry: Classifier) -> None:
    assert [value for value in entry.matching if not accepts(entry, value)] == []
    assert [value for value in entry.rejecting if accepts(entry, value)] == []


def test_every_type_that_values_can_tell_has_examples() -> None:
    readable = [e for e in classifiers() if e.shape or e.check or e.detectors]
    assert [e.id for e in readable if not e.matching or not e.rejecting] == []


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

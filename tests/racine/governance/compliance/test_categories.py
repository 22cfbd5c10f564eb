"""What the law calls what the classifiers find."""

from racine.governance.classifications.engine import catalogue
from racine.governance.compliance.categories import (
    LABELS,
    categories,
    highest,
    label_of,
    legal_name,
)

NOT_PERSONAL = {"financial_amount", "card_detail", "tax_id", "credit_score"}
"""Confidential kinds that say nothing of a person by themselves."""


def test_every_sensitive_classifier_has_a_category_in_law() -> None:
    without = {
        entry.id
        for entry in catalogue()
        if LABELS.index(entry.sensitivity) >= LABELS.index("confidential")
        and entry.kind not in NOT_PERSONAL
        and not categories([legal_name(entry.id, entry.kind)])
    }
    assert without == set()


def test_a_card_verification_code_is_not_just_a_card_detail() -> None:
    assert "sad" in categories([legal_name("card_cvv", "card_detail")])
    assert categories([legal_name("card_expiry", "card_detail")]) == []


def test_a_label_is_as_strict_as_the_strictest_category() -> None:
    assert label_of(["email"]) == "confidential"
    assert label_of(["email", "ssn"]) == "restricted"
    assert label_of(["organization"]) == "internal"
    assert highest([]) == "public"
    assert highest(["internal", "restricted", "public"]) == "restricted"

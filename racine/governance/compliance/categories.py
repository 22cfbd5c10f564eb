"""What the law calls the kinds of data that classifiers find.

Categories: `personal` (GDPR Art. 4(1)), `direct_identifier` (names a person alone), `special`
(Art. 9(1)), `health`, `criminal` (Art. 10), `government_id`, `financial`, `pan` (PCI DSS: primary
account number), `sad` (PCI DSS: sensitive authentication data), `secret` (authenticates someone).
"""

from collections.abc import Iterable

_PERSONAL = frozenset({"personal"})
_DIRECT = _PERSONAL | {"direct_identifier"}
_STATE_ID = _DIRECT | {"government_id"}
_FINANCIAL = _PERSONAL | {"financial"}
_SPECIAL = _PERSONAL | {"special"}
_HEALTH = _SPECIAL | {"health"}
_SAD = frozenset({"sad", "financial"})
_SECRET = frozenset({"secret"})

_BY_CATEGORY: dict[frozenset[str], str] = {
    _PERSONAL: """
        date_of_birth age gender nationality marital_status username ip_address mac_address
        geo_coordinate device_id session_id user_agent vin vehicle_plate employee_id student_id
        occupation postal_code provider_id""",
    _DIRECT: "person_name email phone address",
    _STATE_ID: "national_id ssn passport drivers_license us_ptin",
    _FINANCIAL: "iban bank_account credit_score crypto_address policy_number",
    _FINANCIAL | {"pan"}: "credit_card",
    _SAD: "card_cvv",
    _SAD | {"secret"}: "card_pin",
    _SPECIAL: """
        ethnicity religion political_opinion union_membership sexual_orientation biometric
        genetic""",
    _HEALTH: "medical icd10_code health_id",
    _PERSONAL | {"criminal"}: "criminal_record",
    _SECRET: "password secret",
}
"""Kinds of data, and classifiers where one of a kind stands apart from it: a card's verification
code among card details, a diagnosis among medical codes. What is not here is in no category, as a
company's tax number, an amount or a country alone."""

_BY_NAME = {name: found for found, names in _BY_CATEGORY.items() for name in names.split()}

_RESTRICTED = frozenset({"special", "criminal", "government_id", "pan", "sad", "secret"})

LABELS = ("public", "internal", "confidential", "restricted")
"""Sensitivity labels, least first."""


def legal_name(classifier: str, kind: str) -> str:
    """Return by which name the law's categories know a classification."""
    return classifier if classifier in _BY_NAME else kind


def categories(names: Iterable[str]) -> list[str]:
    """Return the legal categories of classifications, sorted; an unknown name has none."""
    return sorted(set().union(*(_BY_NAME.get(name, frozenset()) for name in names)))


def label_of(names: Iterable[str]) -> str:
    """Return the sensitivity that the content asks for; what is not classified is `internal`."""
    found = set(categories(names))
    if found & _RESTRICTED:
        return "restricted"
    return "confidential" if found else "internal"


def highest(labels: Iterable[str]) -> str:
    """Return the most sensitive of labels, `public` when there is none."""
    return LABELS[max((LABELS.index(label) for label in labels), default=0)]

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
        date_of_birth age gender nationality marital_status username social_handle ip_address
        mac_address geo_coordinate imei imsi advertising_id cookie_id device_id vin license_plate
        photo signature household employee_id student_id customer_id job_title occupation
        performance_rating user_agent postal_code number_plate""",
    _DIRECT: "person_name first_name last_name full_name email phone address",
    _STATE_ID: """
        national_id ssn itin tax_id passport drivers_license visa_number voter_id mrz
        social_insurance_number""",
    _FINANCIAL: """
        iban bank_account salary income credit_score account_number loan_number crypto_address""",
    _FINANCIAL | {"pan"}: "credit_card",
    _SAD: "cvv card_security_code card_track card_pin track_data pin pin_block",
    _SPECIAL: """
        ethnicity race religion political_opinion union_membership trade_union sexual_orientation
        biometric genetic""",
    _HEALTH: """
        medical medical_code diagnosis medication blood_type medical_record health_insurance_id
        health_id medical_record_number disability health medical_condition""",
    _PERSONAL | {"criminal"}: "criminal_record",
    _SECRET: """
        password password_hash api_key token access_token private_key secret jwt
        connection_string credential""",
}
_BY_KIND = {kind: found for found, kinds in _BY_CATEGORY.items() for kind in kinds.split()}

_RESTRICTED = frozenset({"special", "criminal", "government_id", "pan", "sad", "secret"})

LABELS = ("public", "internal", "confidential", "restricted")
"""Sensitivity labels, least first."""


def categories(kinds: Iterable[str]) -> list[str]:
    """Return the legal categories of classified kinds, sorted; an unknown kind has none."""
    return sorted(set().union(*(_BY_KIND.get(kind, frozenset()) for kind in kinds)))


def is_known(kind: str) -> bool:
    return kind in _BY_KIND


def label_of(kinds: Iterable[str]) -> str:
    """Return the sensitivity that the content asks for; what is not classified is `internal`."""
    found = set(categories(kinds))
    if found & _RESTRICTED:
        return "restricted"
    return "confidential" if found else "internal"


def highest(labels: Iterable[str]) -> str:
    """Return the most sensitive of labels, `public` when there is none."""
    return LABELS[max((LABELS.index(label) for label in labels), default=0)]

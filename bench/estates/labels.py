"""What a column holds, as a person who reads it would say."""

from dataclasses import dataclass
from typing import Any

KINDS = frozenset(
    "EMAIL PHONE PERSON_NAME ADDRESS DATE_OF_BIRTH CREDIT_CARD SSN NATIONAL_ID IBAN IP_ADDRESS"
    " MAC_ADDRESS PASSWORD POSTAL_CODE CITY REGION COUNTRY GENDER AGE URL GEO_COORD USERNAME"
    " SWIFT_BIC VIN DRIVER_LICENSE ORGANIZATION OCCUPATION FINANCIAL_AMOUNT MARITAL_STATUS"
    " ETHNICITY LANGUAGE PASSPORT BANK_ACCOUNT MEDICAL".split()
)
"""Kinds a label may name; `NONE` says that the column was looked at and is not sensitive."""


@dataclass(frozen=True)
class Label:
    """The right answers for one column.

    `accept` are also right, `tolerate` neither right nor wrong; `trap` says why the column looks
    sensitive and is not.
    """

    labels: tuple[str, ...] = ("NONE",)
    accept: tuple[str, ...] = ()
    tolerate: tuple[str, ...] = ()
    ignore: bool = False
    trap: str = ""
    note: str = ""

    def document(self) -> dict[str, Any]:
        """The label as it stands in `labels.json`; empty members are left out."""
        members: dict[str, Any] = {
            "labels": list(self.labels),
            "accept": list(self.accept),
            "tolerate": list(self.tolerate),
            "ignore": self.ignore,
            "trap": self.trap,
            "note": self.note,
        }
        return {name: value for name, value in members.items() if value}

"""The vocabulary of facts: everything that a control may ask, and what people may enter.

A subject is a source, a table or a column. It sees its own facts and, where it has none of that
name, those of what contains it. A fact that nobody entered or that is out of date is absent, which
makes a control `unknown`; a fact entered as null says "there is none", which a control may fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from racine.errors import Fault, InvalidInput

Level = Literal["source", "table", "column"]
LEVELS: tuple[Level, ...] = ("source", "table", "column")

SCAN_MAX_AGE_DAYS = 30
"""After a month a scan no longer speaks for its source (monthly inventory, ISO/IEC 27001 A.5.9)."""
REVIEW_DAYS = 365
"""After a year a statement of a person must be made again (annual review, ISO/IEC 27001 9.3)."""


@dataclass(frozen=True)
class Fact:
    """One name that conditions may read as `fact.<name>`."""

    name: str
    type: str
    """`text`, `boolean`, `integer`, `date` (read as days since), `list` or the allowed words."""
    meaning: str
    levels: tuple[Level, ...] = LEVELS
    """Where it is known or may be entered, best place first."""
    entered: bool = False
    """People enter it; otherwise the scan tells."""
    max_age_days: int | None = SCAN_MAX_AGE_DAYS
    told_by: str = ""
    """The fact that people enter so that this one can be told."""

    @property
    def words(self) -> tuple[str, ...]:
        """The allowed words, empty for the other types."""
        return tuple(self.type.split(" | ")) if " | " in self.type else ()


def _scanned(name: str, type_: str, meaning: str, *levels: Level) -> Fact:
    return Fact(name, type_, meaning, levels or LEVELS)


def _entered(name: str, type_: str, meaning: str, *levels: Level) -> Fact:
    return Fact(name, type_, meaning, levels or ("table", "source"), True, REVIEW_DAYS)


_LABEL = "public | internal | confidential | restricted"

VOCABULARY: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        _scanned("kinds", "list", "kinds of data found and not rejected by a person"),
        _scanned("categories", "list", "what the law calls these kinds"),
        _scanned("readable", "list", "categories whose sampled values still validate: cleartext"),
        _scanned("content_rank", "integer", "0 public to 3 restricted, by what was found"),
        _scanned("sensitivity", _LABEL, "the label in force: stated by a person, else by content"),
        _scanned("sensitivity_rank", "integer", "0 public to 3 restricted, of the label in force"),
        _scanned("empty", "boolean", "no sampled row has a value", "column"),
        _scanned("rows_read", "integer", "rows that the scan sampled", "table", "column"),
        Fact("oldest_row_days", "integer", "days since the month of the oldest date in age_column",
             ("table",), told_by="age_column"),
        _scanned("enumerated", "boolean", "the last listing of the source ended without error"),
        Fact("scan_age_days", "integer", "days since the last finished scan", max_age_days=None),
        Fact("transport", "local | tls | plain", "how the source is reached", max_age_days=None),
        Fact("region_in_eea", "boolean", "the stated region lies in the EEA", max_age_days=None,
             told_by="region"),
        _entered("owner", "text", "person or team that answers for the data"),
        _entered("environment", "production | staging | test | development", "what the data serves",
                 "source", "table"),
        _entered("purpose", "text", "why the data is processed (GDPR Art. 5(1)(b))"),
        _entered("lawful_basis", "consent | contract | legal_obligation | vital_interests | "
                 "public_task | legitimate_interests", "GDPR Art. 6(1)(a)–(f)"),
        _entered("special_condition", "explicit_consent | employment | vital_interests | "
                 "not_for_profit | made_public | legal_claims | public_interest | health_care | "
                 "public_health | archiving", "GDPR Art. 9(2)(a)–(j)"),
        _entered("retention_days", "integer", "days after which rows must go"),
        _entered("age_column", "text", "column whose date tells how old a row is", "table"),
        _entered("processing_record", "text", "entry in the records of processing (GDPR Art. 30)"),
        _entered("processor", "text", "external processor that holds the data; null: none"),
        _entered("processor_contract_until", "date", "end of the contract with the processor"),
        _entered("in_hipaa_scope", "boolean", "declared to hold health data under HIPAA",
                 "source", "table"),
        _entered("business_associate_until", "date", "end of the business associate contract"),
        _entered("deidentified", "boolean", "said to hold nobody's identity", "table"),
        _entered("sold_or_shared", "boolean", "goes to third parties for value or advertising"),
        _entered("opt_out_honoured", "boolean", "who opted out is left out of what is shared"),
        _entered("region", "text", "ISO 3166-1 alpha-2 code of where the data lies",
                 "source", "table"),
        _entered("transfer_mechanism", "adequacy | standard_clauses | binding_rules | derogation",
                 "ground for the transfer out of the EEA (GDPR Art. 45–49)", "source", "table"),
        _entered("dpia", "text", "reference of the impact assessment (GDPR Art. 35)"),
        _entered("official_authority", "boolean", "processing under control of official authority "
                 "or authorised by law (GDPR Art. 10)"),
        _entered("encrypted_at_rest", "boolean", "storage is encrypted", "source", "table"),
        _entered("protection", "none | masked | truncated | tokenized | keyed_hash | encrypted | "
                 "disk_encryption", "how the values are protected", "column", "table"),
        Fact("claimed_protection", "text", "the stated protection, `none` where none is stated",
             max_age_days=None, told_by="protection"),
        _entered("key_reference", "text", "where the key is kept", "column", "table", "source"),
        _entered("access_reviewed_on", "date", "day on which the access rights were reviewed"),
        _entered("access_logging", "boolean", "reads are logged", "source", "table"),
        _entered("in_cde", "boolean", "inside the declared cardholder data environment",
                 "source", "table"),
        _entered("label", _LABEL, "sensitivity stated by a person", "table", "column", "source"),
    )
}  # fmt: skip

EEA = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE "
    "IS LI NO".split()
)
"""The EU's 27 members and the EFTA states of the EEA agreement (2026)."""


@dataclass(frozen=True)
class Stated:
    """A fact as a person entered it."""

    value: Any
    entered_at: datetime
    valid_until: date | None = None


def readable(stated: Mapping[str, Stated], today: date) -> tuple[dict[str, Any], list[str]]:
    """Return the stated facts as conditions read them, and the names of those out of date."""
    fresh: dict[str, Any] = {}
    stale: list[str] = []
    for name, item in stated.items():
        if _is_stale(VOCABULARY[name], item, today):
            stale.append(name)
        else:
            fresh[name] = _as_condition_value(VOCABULARY[name], item.value, today)
    if isinstance(fresh.get("region"), str):
        fresh["region_in_eea"] = fresh["region"] in EEA
    return fresh, stale


def check_entry(name: str, value: Any, level: Level) -> None:
    """Raise InvalidInput unless people may enter this value of this fact at this level."""
    fact = VOCABULARY.get(name)
    if fact is None or not fact.entered:
        known = ", ".join(sorted(item.name for item in VOCABULARY.values() if item.entered))
        raise _fault(name, f"{name!r} is no fact that people enter.", f"Enter one of {known}.")
    if level not in fact.levels:
        raise _fault(name, f"{name!r} is not a fact of a {level}.",
                     f"Enter it on: {', '.join(fact.levels)}.")  # fmt: skip
    if value is not None and not _fits(fact, value):
        raise _fault(name, f"{name!r} does not fit {fact.type!r}.", f"It means: {fact.meaning}.")


def _fault(name: str, message: str, next_step: str) -> InvalidInput:
    return InvalidInput(message, next_step=next_step, faults=[Fault(f"/{name}", message)])


def _fits(fact: Fact, value: Any) -> bool:
    if fact.words:
        return value in fact.words
    if fact.type == "boolean":
        return isinstance(value, bool)
    if fact.type == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    if fact.type == "date":
        return isinstance(value, str) and _day(value) is not None
    return isinstance(value, str) and 0 < len(value.strip()) <= 500 and "\0" not in value


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_stale(fact: Fact, item: Stated, today: date) -> bool:
    if item.valid_until is not None:
        return today > item.valid_until
    age = (today - item.entered_at.date()).days
    return fact.max_age_days is not None and age > fact.max_age_days


def _as_condition_value(fact: Fact, value: Any, today: date) -> Any:
    if fact.type == "date" and isinstance(value, str):
        day = _day(value)
        return (today - day).days if day else None
    return value

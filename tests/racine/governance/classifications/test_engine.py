"""The interface that scans and the classification operation build on."""

import json
from collections import Counter
from collections.abc import Sequence

from racine.governance.classifications.engine import (
    ColumnEvidence,
    ColumnVerdict,
    Evidence,
    TableEvidence,
    decide,
    gather,
)


def classify(table: str, **columns: Sequence[str]) -> dict[str, ColumnVerdict]:
    shown = tuple(
        ColumnEvidence(name=name, evidence=gather(Counter(v for v in values if v)))
        for name, values in columns.items()
    )
    return {v.name: v for v in decide(TableEvidence(name=table, columns=shown))}


def kinds(verdict: ColumnVerdict) -> list[str]:
    return [found.kind for found in verdict.classifications]


def test_a_customer_table_is_read_as_a_person_would() -> None:
    verdicts = classify(
        "customers",
        id=["1", "2", "3", "4", "5"],
        first_name=["Anna", "Peter", "Maria", "John", "Wei"],
        email=["a@example.com", "p@example.com", "m@example.org", "j@x.io", "w@y.cn"],
        phone=["+49 30 1234567", "+44 20 7946 0958", "+1 212 555 0100", "", "+86 10 1234 5678"],
        city=["Berlin", "London", "New York", "Paris", "Beijing"],
        email_verified=["true", "false", "true", "true", "false"],
    )
    assert kinds(verdicts["first_name"]) == ["person_name"]
    assert kinds(verdicts["email"]) == ["email"]
    assert kinds(verdicts["phone"]) == ["phone"]
    assert kinds(verdicts["city"]) == ["city"]
    assert kinds(verdicts["id"]) == kinds(verdicts["email_verified"]) == []
    assert verdicts["email"].sensitivity == "confidential"


def test_a_verdict_explains_itself_in_words_and_numbers() -> None:
    values = [f"user{n}@example.com" for n in range(20)]
    (found,) = classify("t", email=values)["email"].classifications
    assert found.mode == "is"
    assert found.confidence > 0.9
    assert found.evidence.name > 0
    assert found.evidence.values > 0
    assert found.evidence.words == (
        "The header says “email”; 20 of 20 values fit email (0.05% would by chance)."
    )


def test_evidence_holds_no_value() -> None:
    secrets = [f"Zaphod{n} Beeblebrox{n}x" for n in range(50)] + ["4111111111111111"] * 3
    stored = gather(Counter(secrets)).model_dump_json()
    assert "Zaphod" not in stored
    assert "Beeble" not in stored
    assert "4111" not in stored


def test_stored_evidence_decides_again_without_the_data() -> None:
    evidence = gather(Counter([f"10.0.{n}.{n + 7}" for n in range(30)]))
    again = Evidence.model_validate(json.loads(evidence.model_dump_json()))
    column = ColumnEvidence(name="client_ip", evidence=again)
    (verdict,) = decide(TableEvidence(columns=(column,)))
    assert kinds(verdict) == ["ip_address"]


def test_placeholders_are_counted_apart() -> None:
    evidence = gather({"n/a": 40, "unknown": 10, "NULL": 5, "x@example.com": 2})
    assert (evidence.rows, evidence.placeholders, evidence.distinct) == (2, 55, 1)


def test_a_column_of_placeholders_alone_has_no_verdict() -> None:
    verdicts = classify("t", email=["n/a", "-", "null"])
    assert verdicts["email"].classifications == verdicts["email"].candidates == ()


def test_digits_with_an_e_among_them_are_no_boundless_number() -> None:
    evidence = gather(Counter(["12e345", "1e999", "7e2"]))
    assert evidence.numbers is not None
    assert (evidence.numbers.count, evidence.numbers.maximum) == (1, 700.0)

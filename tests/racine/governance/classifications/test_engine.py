"""The interface that scans and the classification operation build on."""

import json
from collections import Counter
from collections.abc import Sequence

from racine.governance.classifications.engine import (
    ClassifySettings,
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


def test_a_neighbour_of_its_context_speaks_for_a_type() -> None:
    numbers = [f"E{n:05d}" for n in range(100, 140)]
    people = ["Anna Silva", "Peter Novak", "Maria Meyer", "Wei Khan"] * 10
    alone = classify("t", employee_number=numbers)["employee_number"]
    beside = classify("t", employee_number=numbers, full_name=people)["employee_number"]
    first, second = (next(c for c in (*v.classifications, *v.candidates) if c.id ==
                          "employee_number") for v in (alone, beside))  # fmt: skip
    assert (first.evidence.context, second.evidence.context) == (0.0, 1.0)
    assert second.confidence > first.confidence


def test_a_declared_type_rules_out_what_it_cannot_hold() -> None:
    evidence = gather(Counter([f"10.0.{n}.{n + 7}" for n in range(30)]))
    for declared, wanted in (("inet", ["ip_address"]), ("BOOLEAN", []), ("timestamp(6)", [])):
        column = ColumnEvidence(name="client_ip", type=declared, evidence=evidence)
        (verdict,) = decide(TableEvidence(columns=(column,)))
        assert kinds(verdict) == wanted
        assert verdict.candidates == () or "declares it as" in verdict.candidates[0].evidence.words


def test_a_moment_may_be_a_date_of_birth() -> None:
    evidence = gather(Counter([f"19{n}-03-1{n % 9} 00:00:00" for n in range(50, 95)]))
    column = ColumnEvidence(name="birth_date", type="datetime", evidence=evidence)
    (verdict,) = decide(TableEvidence(name="customers", columns=(column,)))
    assert kinds(verdict) == ["date_of_birth"]


def test_the_threshold_of_a_rule_set_stands_in_place_of_the_learned_one() -> None:
    evidence = gather(Counter([f"user{n}@example.com" for n in range(20)]))
    table = TableEvidence(columns=(ColumnEvidence(name="email", evidence=evidence),))
    (strict,) = decide(table, ClassifySettings(thresholds={"email": 1.0}))
    (by_id,) = decide(table, ClassifySettings(thresholds={"phone": 1.0, "email": 0.2}))
    assert kinds(strict) == []
    assert kinds(by_id) == ["email"]

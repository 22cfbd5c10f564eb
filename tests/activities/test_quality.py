"""Gates over scans of a real source, validated by the real controls."""

from typing import Any

import pytest

from activities.quality import QualityTasks
from models.messages import TaskOutput
from models.stores import scans
from tests.activities.governing import SHOP, Governing
from tests.activities.tasks import Bench, parts

TABLES = {
    **SHOP,
    "orders": {"id": range(1, 11), "note": [None] * 4 + ["x"] * 6},
}  # fmt: skip


@pytest.fixture
def gate(governing: Governing) -> "Gate":
    governing.scan(TABLES)
    return Gate(governing)


class Gate:
    def __init__(self, governing: Governing) -> None:
        self.governing = governing

    def run(self, *checks: dict[str, Any], **task: Any) -> TaskOutput:
        given = {"scan_id": self.governing.scan_id, "checks": list(checks), **task}
        with parts(self.governing.db) as found:
            return Bench(found.attempts).carry_out(QualityTasks(found.attempts).run, given)

    def states(self, *checks: dict[str, Any]) -> list[tuple[str, str, Any]]:
        found = self.run(*checks, on_fail="CONTINUE").values["checks"]
        return sorted((c["asset"], c["state"], c["measured"]) for c in found)

    def refused(self, *checks: dict[str, Any], **task: Any) -> Any:
        given = {"scan_id": self.governing.scan_id, "checks": list(checks), **task}
        with parts(self.governing.db) as found:
            return Bench(found.attempts).refused(QualityTasks(found.attempts).run, given)


def check(metric: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "op": op, "value": value, **more}


def test_metrics_are_those_of_the_scan(gate: Gate) -> None:
    assert gate.states(check("ROW_COUNT", "GREATER_THAN", 8)) == [
        ("customers", "passed", 50), ("orders", "passed", 10), ("payments", "failed", 7),
    ]  # fmt: skip
    at_most = "LESS_THAN_OR_EQUAL"
    note = {"asset": "orders", "column": "note"}
    assert gate.states(check("NULL_SHARE", at_most, 0.4, **note)) == [("orders", "passed", 0.4)]
    unique = check("UNIQUENESS", "EQUAL_TO", 1, asset="orders", column="id")
    assert gate.states(unique) == [("orders", "passed", 1.0)]
    distinct = gate.states(check("UNIQUENESS", "LESS_THAN", 0.2, **note))
    assert distinct[0][1] == "passed"
    fresh = gate.states(check("FRESHNESS_SECONDS", "LESS_THAN", 3600, asset="orders"))
    assert fresh[0][1] == "passed"


def test_an_expression_reads_the_whole_profile(gate: Gate) -> None:
    text = 'asset.rows == 10 && asset.columns["note"].nulls == 4 && asset.columns.id.values == 10'
    assert gate.states({"asset": "orders", "expression": text}) == [("orders", "passed", True)]
    missing = gate.run(
        {"asset": "orders", "expression": "asset.columns.none.nulls == 0"}, on_fail="CONTINUE"
    ).values["checks"][0]
    assert (missing["state"], missing["measured"]) == ("unknown", None)
    assert "none" in missing["message"]


def test_compliance_is_unknown_until_it_was_judged(gate: Gate) -> None:
    verdict = check("COMPLIANCE", "NOT_EQUAL", "fail", asset="payments")
    findings = check("FINDINGS", "EQUAL_TO", 0, asset="payments", at_least="high")
    assert gate.states(verdict, findings) == [("payments", "unknown", None)] * 2
    gate.governing.classify()
    gate.governing.validate()
    judged = dict(zip(("verdict", "findings"), gate.run(
        verdict, findings, on_fail="CONTINUE").values["checks"], strict=True))  # fmt: skip
    assert {c["state"] for c in judged.values()} <= {"passed", "failed"}
    assert {type(c["measured"]) for c in judged.values()} == {str, int}


def test_a_gate_passes_warns_or_fails(gate: Gate) -> None:
    good, bad = check("ROW_COUNT", "GREATER_THAN", 0), check("ROW_COUNT", "EQUAL_TO", 10)
    passed = gate.run(good).values
    assert (passed["outcome"], passed["passed"], passed["failed"]) == ("passed", 3, 0)
    warned = gate.run({**bad, "severity": "warning"}).values
    assert (warned["outcome"], warned["warnings"], warned["passed"]) == ("passed", 2, 1)
    went_on = gate.run(bad, on_fail="CONTINUE").values
    assert (went_on["outcome"], went_on["failed"]) == ("failed", 2)
    failure = gate.refused(bad)
    assert (failure.type, failure.non_retryable) == ("quality_failed", True)
    assert failure.message == (
        "2 of 3 checks do not hold; first: ROW_COUNT of customers is 50, expected EQUAL_TO 10."
    )
    assert [c["state"] for c in failure.details[0]["checks"]] == ["failed", "failed", "passed"]


def test_what_is_not_there_never_passes(gate: Gate) -> None:
    none = gate.run(check("ROW_COUNT", "LESS_THAN", 5, asset="nothing"), on_fail="CONTINUE")
    assert none.values["outcome"] == "failed"
    assert none.values["checks"][0]["message"] == "No asset of the scan matches."
    text = check("ROW_COUNT", "LESS_THAN", "many", asset="orders")
    assert gate.states(text) == [("orders", "unknown", 10)]


def test_a_source_stands_for_its_last_scan(gate: Gate) -> None:
    rows = check("ROW_COUNT", "EQUAL_TO", 10, asset="orders")
    with gate.governing.db.read() as session:
        scan = scans.get(session, gate.governing.scan_id)
    task = {"scan_id": None, "source": scan.source_id}
    assert gate.run(rows, **task).values["outcome"] == "passed"
    gate.governing.scan({**TABLES, "orders": {"id": [1]}})
    assert gate.refused(rows, **task).type == "quality_failed"
    assert gate.refused(rows, scan_id="scan_none").type == "not_found"

"""Findings over several validations of one source."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from models.stores import asset_facts, compliance, scans
from models.tables.compliance import ControlCount, Finding, Waiver
from racine.governance.catalog.identity import asset_id
from tests.activities.governing import CARDS, SHOP, Governing

MASKED = {**SHOP, "payments": {"id": range(7), "card_number": [f"****{c[-4:]}" for c in CARDS]}}


def finding(governing: Governing, control: str, subject: str) -> Finding:
    with governing.db.read() as session:
        wanted = select(Finding).where(Finding.control == control, Finding.subject == subject)
        return session.scalars(wanted).one()


def state(governing: Governing, *facts: tuple[str, str, object]) -> None:
    """Enter facts: (table or nothing for the source, name, value)."""
    with governing.db.write() as session:
        for asset, name, value in facts:
            place = (governing.workspace_id, governing.source_id,
                     asset_id(governing.source_id, asset))  # fmt: skip
            asset_facts.enter(session, place, {name: value}, by="usr_1")


def test_a_failure_is_found_with_its_evidence_and_closed_when_it_passes(
    governing: Governing,
) -> None:
    governing.govern(SHOP)
    found = finding(governing, "PCI-3.5.1", "payments.card_number")
    assert (found.state, found.result, found.severity) == ("open", "fail", "critical")
    assert "pan" in found.evidence["readable"]
    governing.scan(MASKED)
    governing.classify()
    assert governing.validate().closed >= 1
    closed = finding(governing, "PCI-3.5.1", "payments.card_number")
    assert (closed.state, closed.opened_at) == ("closed", found.opened_at)
    governing.govern(SHOP)
    again = finding(governing, "PCI-3.5.1", "payments.card_number")
    assert (again.id, again.state, again.closed_at) == (found.id, "open", None)
    assert again.opened_at > found.opened_at


def test_validating_again_changes_no_count(governing: Governing) -> None:
    governing.scan(SHOP)
    governing.classify()
    first, again = governing.validate(), governing.validate()
    assert (first.passed, first.failed, first.unknown) == (
        again.passed, again.failed, again.unknown,
    )  # fmt: skip
    assert again.closed == 0
    assert first.unknown > 0, "nobody has entered any fact yet"


def test_facts_that_people_enter_decide_what_was_unknown(governing: Governing) -> None:
    governing.govern(SHOP)
    assert finding(governing, "GDPR-6", "customers").result == "unknown"
    assert finding(governing, "GDPR-6", "customers").missing == ["lawful_basis"]
    state(governing, ("", "lawful_basis", "contract"), ("payments", "lawful_basis", None))
    governing.validate()
    assert finding(governing, "GDPR-6", "customers").state == "closed"
    assert finding(governing, "GDPR-6", "payments").result == "fail"


def test_a_narrower_validation_leaves_other_findings_alone(governing: Governing) -> None:
    governing.govern(SHOP)
    governing.scan(MASKED)
    governing.classify()
    governing.validate("gdpr")
    assert finding(governing, "PCI-3.5.1", "payments.card_number").state == "open"
    governing.validate("pci_dss_4")
    assert finding(governing, "PCI-3.5.1", "payments.card_number").state == "closed"


def test_an_unread_asset_is_unknown_and_closes_nothing(governing: Governing) -> None:
    governing.govern(SHOP)
    governing.scan()
    with governing.db.write() as session:
        for asset in scans.assets(session, governing.scan_id):
            asset.state, asset.error = "failed", "the disk broke"
    governing.classify()
    governing.validate()
    assert finding(governing, "PCI-3.5.1", "payments.card_number").state == "open"
    assert finding(governing, "PCI-3.5.1", "payments").result == "unknown"


def test_a_waiver_excuses_a_failure_until_its_day(governing: Governing) -> None:
    governing.govern(SHOP)
    found = finding(governing, "PCI-3.5.1", "payments.card_number")
    ends = datetime.now(UTC) + timedelta(days=1)
    with governing.db.write() as session:
        waiver = compliance.request_waiver(
            session, compliance.get(session, found.id), by="usr_1", reason="migration",
            compensating_control="no one may read it", expires_at=ends,
        )  # fmt: skip
        waiver.state = "approved"
    assert governing.validate().waived == 1
    assert finding(governing, "PCI-3.5.1", "payments.card_number").state == "waived"
    with governing.db.write() as session:
        session.get_one(Waiver, waiver.id).expires_at = datetime.now(UTC)
    assert governing.validate().waived == 0
    assert finding(governing, "PCI-3.5.1", "payments.card_number").state == "open"
    with governing.db.read() as session:
        assert session.get_one(Waiver, waiver.id).state == "expired"


def test_a_plan_says_what_it_would_close_and_does(governing: Governing) -> None:
    governing.govern(SHOP)
    planned = governing.plan()
    assert planned.closes >= 1
    masking = next(
        step for step in planned.first
        if step.fact == "readable" and step.place == "payments.card_number"
    )  # fmt: skip
    promised = set(masking.closes)
    assert finding(governing, "PCI-3.5.1", "payments.card_number").id in promised
    governing.govern(MASKED)
    with governing.db.read() as session:
        states = set(session.scalars(select(Finding.state).where(Finding.id.in_(promised))))
    assert states == {"closed"}


def test_a_report_counts_unknown_apart_from_the_score(governing: Governing) -> None:
    governing.govern(SHOP)
    report = governing.report()
    by_name = {score.framework: score for score in report.scores}
    assert by_name["pci_dss_4"].failed >= 1
    assert by_name["pci_dss_4"].unknown >= 1
    decided = by_name["pci_dss_4"].decided
    assert decided is not None
    assert decided < 100
    assert any("PCI-3.5.1 · payments.card_number" in line for line in report.worst)
    with governing.db.read() as session:
        counts = list(session.scalars(select(ControlCount)))
    assert len({count.control for count in counts}) == len(counts)


def test_the_age_of_rows_is_told_by_the_column_that_people_name(governing: Governing) -> None:
    dated = {**SHOP, "customers": {**SHOP["customers"], "made": ["2001-05-17"] * 50}}
    governing.govern(dated)
    state(governing, ("customers", "retention_days", 3650))
    governing.validate()
    assert finding(governing, "ISO-A.8.10", "customers").result == "unknown"
    assert "age_column" in {step.fact for step in governing.plan().first}
    state(governing, ("customers", "age_column", "made"))
    governing.validate()
    found = finding(governing, "ISO-A.8.10", "customers")
    assert (found.result, found.state) == ("fail", "open")
    assert found.evidence["oldest_row_days"] > 3650
    state(governing, ("customers", "retention_days", 365_000))
    governing.validate()
    assert finding(governing, "ISO-A.8.10", "customers").state == "closed"

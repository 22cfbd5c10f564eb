"""Verdicts over several scans: people's decisions stay, machines' are made anew."""

from pathlib import Path

import pytest
from sqlalchemy import select

from models.stores import scans, verdicts
from models.tables.catalog import Asset
from models.tables.verdicts import Verdict
from tests.activities.governing import SHOP, Governing


def verdict(governing: Governing, column: str, kind: str) -> Verdict | None:
    with governing.db.read() as session:
        wanted = select(Verdict).where(Verdict.column_name == column, Verdict.kind == kind)
        return session.scalars(wanted).one_or_none()


def decide(governing: Governing, column: str, kind: str, state: str) -> None:
    found = verdict(governing, column, kind)
    assert found is not None
    with governing.db.write() as session:
        stored = verdicts.get(session, found.id)
        verdicts.decide(session, stored, state=state, by="usr_1", reason="seen")


def test_a_verdict_carries_evidence_and_detector_version(governing: Governing) -> None:
    governing.scan(SHOP)
    result = governing.classify()
    assert (result.columns, result.classified) == (4, 2)
    found = verdict(governing, "contact", "email")
    assert found is not None
    assert (found.state, found.applied, found.decided_by) == ("suggested", True, None)
    assert found.confidence > 0.9
    assert found.evidence["checked"] == {"accepted": 50, "sampled": 50}
    assert found.detector_version


def test_a_rejection_survives_scans_and_keeps_the_kind_out_of_the_catalog(
    governing: Governing,
) -> None:
    governing.scan(SHOP)
    governing.classify()
    decide(governing, "contact", "email", "rejected")
    governing.govern()
    found = verdict(governing, "contact", "email")
    assert found is not None
    assert (found.state, found.applied, found.reason) == ("rejected", False, "seen")
    with governing.db.read() as session:
        shown = session.scalars(select(Asset).where(Asset.name == "contact")).one()
    assert shown.facts["kinds"] == []


def test_a_confirmation_survives_data_that_no_longer_shows_it(governing: Governing) -> None:
    governing.scan(SHOP)
    governing.classify()
    decide(governing, "contact", "email", "confirmed")
    governing.govern({**SHOP, "customers": {"id": range(50), "contact": ["x"] * 50}})
    found = verdict(governing, "contact", "email")
    assert found is not None
    assert found.state == "confirmed"
    with governing.db.read() as session:
        shown = session.scalars(select(Asset).where(Asset.name == "contact")).one()
    assert shown.facts["kinds"] == ["email"]


def test_a_decision_between_scan_and_publication_is_published(governing: Governing) -> None:
    governing.scan(SHOP)
    governing.classify()
    governing.validate()
    decide(governing, "contact", "email", "rejected")
    governing.publish()
    with governing.db.read() as session:
        shown = session.scalars(select(Asset).where(Asset.name == "contact")).one()
    assert shown.facts["kinds"] == []


def test_a_suggestion_goes_when_detectors_no_longer_make_it(governing: Governing) -> None:
    governing.scan(SHOP)
    governing.classify()
    assert verdict(governing, "contact", "email")
    governing.scan({**SHOP, "customers": {"id": range(50), "contact": ["x"] * 50}})
    governing.classify()
    found = verdict(governing, "contact", "email")
    assert found is None or not found.applied


def test_classifying_again_changes_nothing(governing: Governing) -> None:
    governing.scan(SHOP)
    governing.classify()
    with governing.db.read() as session:
        before = {v.id: (v.kind, v.confidence) for v in session.scalars(select(Verdict))}
    governing.classify()
    with governing.db.read() as session:
        assert {v.id: (v.kind, v.confidence) for v in session.scalars(select(Verdict))} == before


def test_columns_of_an_asset_that_could_not_be_read_keep_their_verdicts(
    governing: Governing,
) -> None:
    governing.govern(SHOP)
    governing.scan()
    with governing.db.write() as session:
        for asset in scans.assets(session, governing.scan_id):
            asset.state = "failed"
            for column in scans.columns(session, asset.id):
                column.evidence = {}
    governing.classify()
    assert verdict(governing, "contact", "email")


BADGE = """
- id: badge
  sensitivity: confidential
  headers: [badge]
  pattern: "B-[0-9]{4}-[KLM]"
"""


def test_classifiers_of_the_configured_folder_count(
    governing: Governing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "badge.yaml").write_text(BADGE)
    monkeypatch.setenv("RACINE_CLASSIFIERS_FOLDER", str(own))
    badges = [f"B-{n}-K" for n in range(1000, 1040)]
    governing.scan({"staff": {"id": range(40), "badge": badges}})
    assert governing.classify().by_kind == {"badge": 1}
    found = verdict(governing, "badge", "badge")
    assert found is not None
    assert (found.applied, found.sensitivity) == (True, "confidential")

"""What publishing does to the catalog, over several scans of one source."""

from typing import Any

import pytest
from sqlalchemy import select

from models.stores import scans
from models.tables.catalog import Asset, AssetVersion
from models.tables.compliance import Finding
from racine.errors import NotFound
from tests.activities.governing import SHOP, Governing, Tables


def assets(governing: Governing) -> dict[str, Asset]:
    with governing.db.read() as session:
        return {asset.qualified_name: asset for asset in session.scalars(select(Asset))}


def versions(governing: Governing, name: str) -> list[AssetVersion]:
    asset = assets(governing)[name]
    with governing.db.read() as session:
        found = select(AssetVersion).where(AssetVersion.asset_id == asset.id)
        return list(session.scalars(found.order_by(AssetVersion.number)))


def without(tables: Tables, *names: str) -> Tables:
    return {name: columns for name, columns in tables.items() if name not in names}


def many(count: int) -> dict[str, Any]:
    return {f"t{n}": {"a": [1]} for n in range(count)}


def test_publishing_again_changes_nothing(governing: Governing) -> None:
    first = governing.govern(SHOP)
    assert (first.created, first.assets) == (7, 7)
    again = governing.publish()
    assert (again.created, again.updated, again.unchanged) == (0, 0, 7)
    next_scan = governing.govern()
    assert (next_scan.created, next_scan.updated, next_scan.unchanged) == (0, 0, 7)


def test_a_changed_column_makes_a_new_version_of_it_and_its_table(governing: Governing) -> None:
    governing.govern(SHOP)
    changed = {**SHOP, "customers": {"id": range(50), "contact": ["n/a"] * 50}}
    outcome = governing.govern(changed)
    assert outcome.updated >= 2
    column = versions(governing, "shop/customers/contact")
    assert [version.content["kinds"] for version in column] == [["email"], []]
    assert versions(governing, "shop/customers")[0].content["columns"]["contact"]["kinds"] == [
        "email"
    ]


def test_an_asset_goes_only_after_two_clean_listings_and_comes_back(governing: Governing) -> None:
    governing.govern(SHOP)
    assert governing.govern(without(SHOP, "payments")).gone == 0
    assert assets(governing)["shop/payments"].state == "active"
    governing.publish()
    assert assets(governing)["shop/payments"].state == "active", "one scan counts once"
    assert governing.govern().gone == 1
    found = assets(governing)
    assert found["shop/payments"].state == "gone"
    assert found["shop/payments/card_number"].state == "gone"
    with governing.db.read() as session:
        state = select(Finding.state).where(Finding.subject == "payments.card_number")
        assert set(session.scalars(state)) == {"closed"}
    back = governing.govern(SHOP)
    assert back.restored == 3
    states = [version.state for version in versions(governing, "shop/payments")]
    assert states[-2:] == ["gone", "active"]


def test_a_listing_that_met_an_error_takes_nothing_for_gone(governing: Governing) -> None:
    governing.govern(SHOP)
    for _ in range(3):
        governing.scan(without(SHOP, "payments"))
        with governing.db.write() as session:
            scans.get(session, governing.scan_id).clean = False
        assert (governing.publish().gone, governing.publish().held) == (0, 0)
    assert assets(governing)["shop/payments"].state == "active"


def test_too_many_absent_assets_are_held_until_a_person_agrees(governing: Governing) -> None:
    governing.scan(many(30))
    governing.publish()
    governing.scan(many(20))
    assert governing.publish().held == 0
    governing.scan()
    held = governing.publish()
    assert (held.gone, held.held) == (0, 10)
    assert governing.publish(approve_deletions=True).gone == 10


def test_a_dropped_column_goes_after_two_clean_listings(governing: Governing) -> None:
    governing.govern(SHOP)
    dropped = {**SHOP, "customers": {"id": range(50)}}
    governing.govern(dropped)
    assert assets(governing)["shop/customers/contact"].state == "active"
    governing.govern()
    assert assets(governing)["shop/customers/contact"].state == "gone"
    assert assets(governing)["shop/customers"].state == "active"


def test_a_failed_check_publishes_the_asset_with_its_state(governing: Governing) -> None:
    governing.govern(SHOP)
    found = assets(governing)
    assert found["shop/payments/card_number"].compliance == "fail"
    assert found["shop/payments"].facts["compliance"] == "fail"
    assert found["shop/payments"].sensitivity == "restricted"


def test_quality_tells_what_each_share_was_counted_over(governing: Governing) -> None:
    contacts = [f"person{n}@example.org" for n in range(40)] + [None] * 10
    governing.scan({"customers": {"id": range(50), "contact": contacts}})
    governing.classify()
    found = governing.quality()
    assert (found.tables, found.cells, found.completeness) == (1, 100, 0.9)
    (table,) = found.lowest
    assert (table.asset, table.rows_read, table.cells) == ("customers", 50, 100)
    assert (table.judged, table.validity) == (40, 1.0)
    assert (table.key_columns, table.uniqueness) == (0, None)


def test_an_empty_table_has_no_quality_rather_than_a_perfect_one(governing: Governing) -> None:
    governing.scan({"nothing": {"a": []}})
    governing.classify()
    found = governing.quality()
    assert (found.completeness, found.validity, found.cells) == (None, None, 0)


def test_another_workspace_cannot_publish_the_scan(governing: Governing) -> None:
    governing.scan(SHOP)
    stranger = Governing(governing.db, governing.path, workspace_id="ws_2")
    stranger.scan_id = governing.scan_id
    for attempt in (stranger.classify, stranger.validate, stranger.publish, stranger.quality):
        with pytest.raises(NotFound):
            attempt()

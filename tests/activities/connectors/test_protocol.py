"""What an asset tells of itself."""

from dataclasses import replace

from activities.connectors.protocol import Asset, Column, Part

PARTS = [["a.csv", "10-1", 10, "2026-01-01T00:00:00+00:00"], ["b.csv", "12-2", 12, None]]
SET = Asset("*.csv", "file", (Column("id", "text"),), {"parts": PARTS, "dialect": {}}, 7)


def test_an_asset_can_be_restricted_to_some_of_its_parts() -> None:
    first, second = SET.parts
    assert second == Part("b.csv", "12-2", 12, None)
    assert SET.only([second]).parts == (second,)
    assert SET.only([second]).details["dialect"] == {}
    assert SET.parts == (first, second)


def test_the_schema_changes_with_a_name_a_type_and_the_order() -> None:
    two = replace(SET, columns=(Column("id", "text"), Column("at", "date")))
    others = [
        replace(SET, columns=two.columns[::-1]),
        replace(SET, columns=(Column("id", "text"), Column("at", "text"))),
        replace(SET, columns=(Column("id", "text"), Column("on", "date"))),
    ]
    assert len({two.schema, SET.schema, *(other.schema for other in others)}) == 5
    assert replace(two, rows=9, fingerprint="x").schema == two.schema

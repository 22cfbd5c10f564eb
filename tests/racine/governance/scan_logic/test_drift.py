"""What changed between two scans."""

from racine.governance.scan_logic.drift import Shape, compare


def test_an_unclean_listing_removes_nothing() -> None:
    before = {"a": Shape({"id": "int"}), "b": Shape({"id": "int"})}
    after = {"a": Shape({"id": "int"})}
    assert compare(before, after, clean=True).removed == ["b"]
    assert compare(before, after, clean=False).removed == []


def test_types_columns_and_volume() -> None:
    before = {"a": Shape({"id": "int", "old": "text"}, 100)}
    after = {"a": Shape({"id": "bigint", "new": "text"}, 250)}
    assert compare(before, after, clean=True).changed["a"] == [
        {"kind": "column_added", "column": "new"},
        {"kind": "column_removed", "column": "old"},
        {"kind": "type_changed", "column": "id", "before": "int", "after": "bigint"},
        {"kind": "volume_changed", "before": 100, "after": 250},
    ]


def test_growth_below_the_factor_is_no_drift() -> None:
    drift = compare({"a": Shape({}, 100)}, {"a": Shape({}, 150)}, clean=True)
    assert drift.to_json() == {"added": [], "removed": [], "changed": {}}

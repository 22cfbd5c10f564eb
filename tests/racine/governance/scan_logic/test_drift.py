"""Drift: every aspect, and what is too small to count."""

from datetime import UTC, datetime, timedelta

from racine.governance.scan_logic.drift import Change, Shape, compare

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def one(before: Shape, after: Shape) -> list[Change]:
    return compare({"t": before}, {"t": after}, clean=True).changes


def test_columns_that_came_went_and_changed() -> None:
    before = Shape({"id": "integer", "name": "text", "old": "text"})
    after = Shape({"id": "bigint", "name": "text", "new": "date"})
    found = [(c.kind, c.column, c.before, c.after) for c in one(before, after)]
    assert found == [
        ("type_changed", "id", "integer", "bigint"),
        ("column_added", "new", None, "date"),
        ("column_removed", "old", "text", None),
    ]


def test_removal_is_told_only_by_a_clean_enumeration() -> None:
    before, after = {"a": Shape({}), "b": Shape({})}, {"a": Shape({})}
    assert compare(before, after, clean=True).removed == ["b"]
    assert compare(before, after, clean=False).removed == []


def test_volume_counts_from_its_factor_on() -> None:
    def rows(before: int | None, after: int | None) -> list[float]:
        return [c.magnitude for c in one(Shape({}, before), Shape({}, after))]

    assert rows(100, 199) == []
    assert rows(100, 200) == [0.5]
    assert rows(100, 0) == [1.0]
    assert rows(None, 5) == []


def test_data_that_stands_still_or_goes_back_is_told() -> None:
    def fresh(before: datetime, after: datetime, days: int) -> list[str]:
        old = Shape({}, seen_at=NOW, modified=before)
        new = Shape({}, seen_at=NOW + days * 24 * HOUR, modified=after)
        return [c.kind for c in one(old, new)]

    assert fresh(NOW - HOUR, NOW - HOUR, 2) == ["stood_still"]
    assert fresh(NOW - HOUR, NOW - HOUR, 0) == []
    assert fresh(NOW - HOUR, NOW + 47 * HOUR, 2) == []
    assert fresh(NOW - HOUR, NOW - 2 * HOUR, 0) == ["went_back"]


def test_types_that_were_found_lost_or_less_sure() -> None:
    columns = {"a": "text", "b": "text"}
    before = Shape(columns, types={"a": {"email": 0.9}, "b": {"iban": 0.9, "bic": 0.8}})
    after = Shape(columns, types={"a": {"phone": 0.7}, "b": {"iban": 0.6, "bic": 0.79}})
    found = {(c.column, c.kind, c.subject): c.magnitude for c in one(before, after)}
    assert found == {
        ("a", "type_lost", "email"): 0.9,
        ("a", "type_found", "phone"): 0.7,
        ("b", "confidence", "iban"): 0.3,
    }
    assert one(before, Shape(columns)) == []


def test_the_same_is_no_drift() -> None:
    shape = Shape({"a": "text"}, 5, NOW, NOW - HOUR, {"a": {"email": 0.9}})
    found = compare({"t": shape}, {"t": shape}, clean=True)
    assert (found.changes, found.changed) == ([], set())
    assert set(found.counts().values()) == {0}

"""Profiles of columns: exact counts, even samples, no values."""

import random
from collections import Counter

import pytest

from racine.governance.scan_logic.profile import ColumnProfile, shape, type_of


def profiled(values: list[str | None], limit: int = 100, batch: int = 37) -> ColumnProfile:
    column = ColumnProfile(blank_is_null=False, limit=limit)
    for start in range(0, len(values), batch):
        column.add(values[start : start + batch])
    return column


def test_counts_are_exact_however_many_values_there_are() -> None:
    values: list[str | None] = [f"{n:06d}" for n in range(5000)] + [None] * 30 + [""] * 20
    random.Random(1).shuffle(values)
    column = profiled(values)
    profile = column.sketch(column.sample()).profile()
    assert (profile["values"], profile["nulls"]) == (5020, 30)
    assert profile["length"] == {"min": 6, "max": 6, "mean": 6.0}
    assert profile["number"] == {"min": 0.0, "max": 5000.0, "mean": 2500.0}
    assert not profile["distinct_exact"]


def test_a_large_column_is_sampled_evenly_with_true_counts() -> None:
    texts = [f"user {n}" for n in range(40_000)] * 2
    random.Random(2).shuffle(texts)
    values: list[str | None] = list(texts)
    column = profiled(values, limit=8000, batch=999)
    sample = column.sample()
    assert 1000 < len(sample) <= 8000
    assert set(sample.values()) == {2}
    halves = sum(int(value[5:]) < 20_000 for value in sample) / len(sample)
    assert 0.45 < halves < 0.55
    assert abs(column.sketch(sample).profile()["distinct"] - 40_000) < 4000


def test_a_small_column_is_seen_whole() -> None:
    column = profiled(["a", "b", "a", None, "c"])
    assert column.sample() == Counter(a=2, b=1, c=1)
    profile = column.sketch(column.sample()).profile()
    assert (profile["distinct"], profile["distinct_exact"], profile["nulls"]) == (3, True, 1)


def test_the_same_data_in_other_batches_gives_the_same_profile() -> None:
    values: list[str | None] = [str(n * n) for n in range(3000)]
    one, other = profiled(values, batch=10), profiled(values, batch=10)
    assert one.sample() == other.sample()
    assert one.sketch(one.sample()).profile() == other.sketch(other.sample()).profile()


def test_long_values_take_no_more_memory_than_short_ones() -> None:
    column = ColumnProfile(blank_is_null=False, limit=50_000, characters=100_000)
    for n in range(100):
        column.add([f"{n}-{m}" + "x" * 5000 for m in range(10)])
    sample = column.sample()
    assert sum(map(len, sample)) <= 100_000
    assert column.sketch(sample).profile()["length"] == {"min": 5003, "max": 5004, "mean": 5003.9}


@pytest.mark.parametrize(
    ("value", "masked"),
    [("Jo 12-B", "Aa 99-A"), ("ada@x.org", "aaa@a.aaa"), ("Zoë 7", "Aax 9"), ("東京1", "xx9")],
)
def test_shapes_hold_no_letter_or_digit_of_a_value(value: str, masked: str) -> None:
    assert shape(value) == masked


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("12", "integer"), ("-1", "integer"), ("0", "integer"), ("007", "text"), ("1.5", "number"),
        ("1e5", "number"), ("00.5", "text"), ("TRUE", "boolean"), ("2020-01-31", "date"),
        ("2020-01-31T10:00:00Z", "timestamp"), ("31.01.2020", "text"), ("", "text"),
    ],
)  # fmt: skip
def test_types_are_read_from_values(value: str, name: str) -> None:
    assert type_of(value) == name


def test_numbers_keep_three_digits_only() -> None:
    column = profiled(["4915112345678", "4915187654321"])
    assert column.sketch(column.sample()).profile()["number"]["max"] == 4.92e12

"""Sketches: parts merged say what the whole says, within the error they name."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from activities.coding import coder
from racine.governance.scan_logic.column_sketch import ColumnSketch
from racine.governance.scan_logic.profile import ColumnProfile
from racine.governance.scan_logic.sketches import Coder, Distinct, Frequent, Quantiles

CODE = coder(bytes(range(32)))


def coded(numbers: Iterable[int]) -> Sequence[int]:
    data = [str(number).encode() for number in numbers]
    return CODE(data, list(map(crc32, data)))


FEW = settings(max_examples=40)


@FEW
@given(st.lists(st.integers(0, 5000)), st.lists(st.integers(0, 5000)))
def test_distinct_counts_of_parts_are_those_of_the_whole(one: list[int], two: list[int]) -> None:
    codes = [coded(part) for part in (one, two)]
    first, second, whole = Distinct(64), Distinct(64), Distinct(64)
    first.add(codes[0])
    second.add(codes[1])
    whole.add([*codes[0], *codes[1]])
    first.merge(second)
    assert first.to_json() == whole.to_json()
    if whole.exact:
        assert whole.count() == len({*one, *two})


def test_a_distinct_count_is_within_its_error() -> None:
    for size in (900, 20_000, 200_000):
        sketch = Distinct()
        for start in range(0, size, 7000):
            sketch.add(coded(range(start, min(start + 7000, size))))
        assert abs(sketch.count() - size) <= 4 * 0.031 * size
        assert sketch.exact == (size < 1024)


def test_the_overlap_of_two_columns_is_told() -> None:
    one, two = Distinct(), Distinct()
    one.add(coded(range(10_000)))
    two.add(coded(range(5_000, 15_000)))
    assert abs(one.overlap(two) - 1 / 3) < 0.06


@FEW
@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=60), min_size=1, max_size=6))
def test_frequent_counts_are_low_by_no_more_than_the_bound(parts: list[list[str]]) -> None:
    merged = Frequent(4)
    for part in parts:
        sketch = Frequent(4)
        sketch.add(Counter(part))
        merged.merge(sketch)
    true = Counter(item for part in parts for item in part)
    found = dict(merged.top())
    assert len(found) <= 4
    for item, count in true.items():
        low = count - found.get(item, 0)
        assert 0 <= low <= true.total() / 5


@FEW
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200),
    st.lists(st.floats(-1e9, 1e9), max_size=200),
    st.floats(0, 1),
)
def test_quantiles_of_parts_are_those_of_the_whole(
    one: list[float], two: list[float], share: float
) -> None:
    first, second = Quantiles(), Quantiles()
    first.add(one, [1] * len(one))
    second.add(two, [1] * len(two))
    first.merge(second)
    numbers = sorted([*one, *two])
    true = numbers[int(share * (len(numbers) - 1))]
    found = first.at(share)
    assert found is not None
    assert abs(found - true) <= 0.0101 * abs(true) + 1e-12


def test_a_wide_range_halves_its_accuracy_and_stays_bounded() -> None:
    sketch = Quantiles()
    numbers = [10 ** random.Random(n).uniform(-200, 200) for n in range(20_000)]
    sketch.add(numbers, [1] * len(numbers))
    stored = sketch.to_json()
    assert len(stored["counts"]) <= 1000
    again = Quantiles.from_json(json.loads(json.dumps(stored)))
    median = sorted(numbers)[9999]
    found = again.at(0.5)
    assert found is not None
    assert abs(found - median) / median < 0.02 * 2**sketch.level


def _sketch(given: Sequence[str | None], code: Coder | None = CODE) -> ColumnSketch:
    column = ColumnProfile(blank_is_null=False, code=code)
    column.add(given)
    return column.sketch(column.sample())


@FEW
@given(st.lists(st.lists(st.one_of(st.none(), st.integers(1, 10**6).map(str))), min_size=2))
def test_a_column_in_parts_has_the_profile_of_the_whole(parts: list[list[str | None]]) -> None:
    merged = ColumnSketch.from_json(_sketch(parts[0]).to_json())
    for part in parts[1:]:
        merged.merge(_sketch(part))
    merged = ColumnSketch.from_json(json.loads(json.dumps(merged.to_json())))
    whole = _sketch([value for part in parts for value in part]).profile()
    found = merged.profile()
    means = [part.pop("number", {}).pop("mean", 0.0) for part in (found, whole)]
    lengths = [(part["length"] or {}).pop("mean", 0.0) for part in (found, whole)]
    assert found == whole
    assert abs(means[0] - means[1]) <= 0.02 * abs(means[1])
    assert abs(lengths[0] - lengths[1]) <= 0.1


def test_no_value_and_no_guessable_hash_is_stored() -> None:
    values = [f"canary-{n}@example.org" for n in range(500)] * 2
    stored = json.dumps(_sketch(values).to_json())
    assert "canary" not in stored
    other = json.dumps(_sketch(values, coder(bytes(range(1, 33)))).to_json())
    assert stored != other
    assert _sketch(values, None).to_json()["kept"] is None


def test_what_is_kept_is_small() -> None:
    values = [f"value {n}" for n in range(50_000)]
    sketch = _sketch(values)
    kept = sketch.for_keeping()
    assert len(json.dumps(kept)) < 8_000
    assert abs(ColumnSketch.from_json(kept).profile()["distinct"] - 50_000) == 0

"""What a validation writes, cut into transactions."""

from models.stores import compliance
from models.stores.compliance import Outcome


def test_no_part_holds_more_than_one_transaction_should_and_what_is_over_comes_last() -> None:
    many = compliance._CHUNK * 2 + 1
    rows = [{"id": str(number)} for number in range(many)]
    ids = [row["id"] for row in rows]
    *parts, last = Outcome(new=rows, changed=rows[:1], same=ids, over=rows[:2]).parts()
    assert [(len(p.new), len(p.changed), len(p.same)) for p in parts] == [
        (5000, 0, 0), (5000, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 5000), (0, 0, 5000), (0, 0, 1),
    ]  # fmt: skip
    assert [row for part in parts for row in part.new] == rows
    assert [name for part in parts for name in part.same] == ids
    assert last == Outcome(over=rows[:2])
    assert not any(part.over for part in parts)

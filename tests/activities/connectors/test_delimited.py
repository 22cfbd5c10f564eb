"""Blocks of delimited text that are split whole hold what the row by row reader finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.connectors.files.delimited import columns_of, parse

CELLS = st.text(alphabet='ab0 ,;\n\r"\0é\u2028', max_size=4)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5), st.booleans())
def test_a_text_that_is_split_whole_has_the_cells_of_its_rows(
    rows: list[list[str]], ended: bool
) -> None:
    text = "\n".join(",".join(row) for row in rows) + "\n" * ended
    for width in (1, 2, 3):
        columns = columns_of(text, ",", width, 0)
        if columns is not None:
            assert list(zip(*columns, strict=True)) == [tuple(row) for row in parse(text, ",")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_header_is_no_value(newline: str) -> None:
    text = newline.join(["id;name", "1;Ada", "2;Linus", ""])
    assert columns_of(text, ";", 2, 1) == [["1", "2"], ["Ada", "Linus"]]
    assert columns_of(text, ";", 2, 0) == [["id", "1", "2"], ["name", "Ada", "Linus"]]


@pytest.mark.parametrize("text", ["1,2\n3\n", "1,2,3\n", '1,"2"\n', "1,2\r3,4\n", "1,2\n\n3,4\n"])
def test_what_is_quoted_or_uneven_is_read_row_by_row(text: str) -> None:
    assert columns_of(text, ",", 2, 0) is None

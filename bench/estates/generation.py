"""Makes the rows of a table; the same table always gets the same rows."""

from collections.abc import Iterator
from random import Random

from bench.estates.locale import locale
from bench.estates.mess import spoil
from bench.estates.people import draw_person, draw_place
from bench.estates.specification import Column, Table
from bench.estates.values import MAKERS, Row


def generate(table: Table) -> Iterator[tuple[str, ...]]:
    """The table's rows, one text per column.

    Each column draws from a generator of its own, so that adding one leaves the others as they
    were; people and places are drawn per row, so that a row's columns agree with each other.
    """
    rows = _rows(table)
    return zip(*(_values(table, column, rows) for column in table.columns), strict=True)


def _rows(table: Table) -> list[Row]:
    random = Random(f"{table.name}/rows")
    words = locale(table.locale)
    return [
        Row(
            index=index,
            count=table.rows,
            locale=words,
            person=draw_person(words, random),
            other=draw_person(words, random),
            place=draw_place(words, random),
        )
        for index in range(table.rows)
    ]


def _values(table: Table, column: Column, rows: list[Row]) -> list[str]:
    random = Random(f"{table.name}/{column.header}")
    make = MAKERS[column.maker].make
    values = [make(row, random, column.argument) for row in rows]
    return [
        spoil(value, column.messes, row, random) for value, row in zip(values, rows, strict=True)
    ]

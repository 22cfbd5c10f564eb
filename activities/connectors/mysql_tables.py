"""What MySQL's and MariaDB's catalogue tells of tables, in four queries for any number of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from activities.connectors.protocol import Asset, Column
from racine.governance.scan_rule_sets.patterns import qualified

TABLES = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH,
       DATE_FORMAT(CREATE_TIME, '%Y-%m-%dT%H:%i:%s'),
       DATE_FORMAT(CONVERT_TZ(UPDATE_TIME, @@session.time_zone, '+00:00'),
                   '%Y-%m-%dT%H:%i:%s+00:00'),
       coalesce(UPDATE_TIME < NOW() - INTERVAL 2 SECOND, 0)
FROM information_schema.TABLES
WHERE TABLE_SCHEMA {scope} AND TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')
ORDER BY TABLE_SCHEMA, TABLE_NAME
"""
COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, COLUMN_KEY, EXTRA
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA {scope}
ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
"""
KEYS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,
       REFERENCED_COLUMN_NAME
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA {scope} AND REFERENCED_TABLE_NAME IS NOT NULL
"""
USES = """
SELECT OBJECT_SCHEMA, OBJECT_NAME, COUNT_READ_EXTERNAL
FROM performance_schema.table_lock_waits_summary_by_table
WHERE OBJECT_SCHEMA {scope} AND @@performance_schema
"""
"""Statements that read each table since the server started; each takes its lock once.

https://dev.mysql.com/doc/refman/8.4/en/performance-schema-table-lock-waits-summary-by-table-table.html
"""

_NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_BINARY = frozenset(
    "binary varbinary tinyblob blob mediumblob longblob bit geometry point linestring polygon"
    " multipoint multilinestring multipolygon geometrycollection geomcollection vector".split()
)

Rows = Sequence[Sequence[Any]]


def assets(tables: Rows, columns: Rows, keys: Rows, uses: Rows) -> Iterator[Asset]:
    """Yield the tables and views that the queries tell of; without a row of `uses`, no count."""
    of_table: dict[tuple[str, str], list[Sequence[Any]]] = {}
    for row in columns:
        of_table.setdefault((row[0], row[1]), []).append(row)
    targets = {tuple(row[:3]): qualified(*row[3:]) for row in keys}
    counted = {(schema, name): int(count) for schema, name, count in uses}
    for table in tables:
        asset = _asset(table, of_table.get((table[0], table[1]), []), targets)
        yield replace(asset, uses=counted.get((table[0], table[1])))


def _asset(
    table: Sequence[Any], found: list[Sequence[Any]], targets: dict[tuple[Any, ...], str]
) -> Asset:
    schema, name, kind, rows, size, created, updated, settled = table
    columns = tuple(
        Column(row[2], row[3], row[5] == "PRI", targets.get((schema, name, row[2])))
        for row in found
    )
    keys = [row for row in found if row[5] == "PRI"]
    # Rows in the order of one number can be read from any place on.
    key = keys[0] if len(keys) == 1 and keys[0][4] in _NUMBERS else None
    details = {
        "path": [schema, name],
        "binary": [row[2] for row in found if row[4] in _BINARY],
        "key": key[2] if key else None,
        # A number that people gave, such as one of a card, is a value: no place to keep.
        "counted": bool(key and "auto_increment" in key[6]),
    }
    asset = Asset(
        qualified(schema, name), "view" if kind == "VIEW" else "table", columns, details,
        None if rows is None or kind == "VIEW" else int(rows),
        bytes=None if size is None else int(size), modified=updated,
    )  # fmt: skip
    # The server tells whole seconds, and forgets at its restart: a time just gone proves nothing.
    if updated is None or int(settled) != 1:
        return asset
    return replace(asset, fingerprint=f"{created}/{updated}/{asset.schema}")

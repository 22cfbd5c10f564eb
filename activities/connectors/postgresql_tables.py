"""What PostgreSQL's catalogue tells of tables, in three queries for any number of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from activities.connectors.protocol import Asset, Column
from racine.governance.scan_rule_sets.patterns import qualified

_OWN = """
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
"""
COLUMNS = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind,
       has_table_privilege(c.oid, 'SELECT'),
       a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid = 'bytea'::regtype,
       coalesce(a.attnum = ANY (pk.conkey), false), a.attnum
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint AS pk ON pk.conrelid = c.oid AND pk.contype = 'p'
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition {_OWN}
ORDER BY n.nspname, c.relname, a.attnum
"""
KEYS = """
SELECT DISTINCT ON (k.conrelid, pair.own) k.conrelid, pair.own, rn.nspname, r.relname, ra.attname
FROM pg_constraint AS k
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (own, other)
JOIN pg_class AS r ON r.oid = k.confrelid
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
JOIN pg_attribute AS ra ON ra.attrelid = r.oid AND ra.attnum = pair.other
WHERE k.contype = 'f'
ORDER BY k.conrelid, pair.own, k.oid
"""
STORAGE = f"""
SELECT coalesce(nullif(pg_partition_root(c.oid)::oid, c.oid), c.oid) AS root, n.nspname, c.relname,
       c.relkind, c.reltuples::bigint,
       c.relpages::bigint * current_setting('block_size')::bigint,
       CASE WHEN current_setting('track_counts')::bool AND c.relkind <> 'f' THEN
           concat_ws('/', pg_relation_filenode(c.oid), pg_stat_get_tuples_inserted(c.oid),
                     pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid),
                     pg_relation_size(c.oid))
       ELSE '' END,
       has_table_privilege(c.oid, 'SELECT'), c.relispartition,
       CASE WHEN current_setting('track_counts')::bool AND c.relkind <> 'f' THEN
           pg_stat_get_numscans(c.oid) + coalesce((
               SELECT sum(pg_stat_get_numscans(x.indexrelid)) FROM pg_index AS x
               WHERE x.indrelid = c.oid
           ), 0)
       END
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'f') {_OWN}
ORDER BY root, n.nspname, c.relname
"""
RESET = "SELECT coalesce(stats_reset::text, '') FROM pg_stat_bgwriter"
"""When the counts began anew, as after a crash: equal counts then prove nothing."""

_KINDS = {"r": "table", "p": "table", "f": "table", "v": "view", "m": "view"}

Rows = Iterable[Sequence[Any]]


def assets(columns: Rows, keys: Rows, storage: Rows, reset: str) -> Iterator[Asset]:
    """Yield the tables and views that the queries tell of; a partition belongs to its table."""
    targets = {(row[0], row[1]): ".".join(row[2:]) for row in keys}
    stored: dict[int, list[Sequence[Any]]] = {}
    for row in storage:
        stored.setdefault(row[0], []).append(row)
    tables: dict[int, list[Sequence[Any]]] = {}
    for row in columns:
        tables.setdefault(row[0], []).append(row)
    for oid, rows in tables.items():
        yield _stored(_listed(rows, targets), stored.get(oid, []), reset)


def _listed(rows: list[Sequence[Any]], targets: dict[tuple[Any, Any], str]) -> Asset:
    oid, schema, table, storage, readable, *_ = rows[0]
    name = qualified(schema, table)
    found = [row for row in rows if row[5] is not None]
    columns = tuple(Column(row[5], row[6], row[8], targets.get((oid, row[9]))) for row in found)
    details = {
        "path": [schema, table],
        "storage": storage,
        "binary": [row[5] for row in found if row[7]],
    }
    error = None if readable else f"The user may not read {name}: it lacks SELECT."
    return Asset(name, _KINDS[storage], columns, details, error=error)


def _stored(asset: Asset, stored: list[Sequence[Any]], reset: str) -> Asset:
    """Return the asset with what its storage tells, that of all its partitions together."""
    if not stored:
        return asset
    marks = [row[6] and f"{row[6]}/{reset}" for row in stored]
    rows, uses = [row[4] for row in stored], [row[9] for row in stored if row[9] is not None]
    details = dict(asset.details)
    if asset.details["storage"] == "p" and all(row[7] and row[3] == "r" for row in stored):
        named = [(qualified(row[1], row[2]), row) for row in stored]
        details["parts"] = [
            [name, mark, row[5], None] for (name, row), mark in zip(named, marks, strict=True)
        ]
        details["paths"] = {name: [row[1], row[2]] for name, row in named}
    return replace(
        asset, details=details, rows=sum(rows) if min(rows) >= 0 else None,
        bytes=sum(row[5] for row in stored), uses=int(sum(uses)) if uses else None,
        fingerprint=" ".join([asset.schema, *marks]) if all(marks) else "",
    )  # fmt: skip

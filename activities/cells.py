"""Rows of a source as JSON: what JSON cannot say becomes text."""

import base64
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

_INTEGERS = range(-(2**63), 2**64)


def row_json(row: Sequence[Any]) -> str:
    """Return a row as a JSON array; binary cells are base64, decimals with a fraction are text."""
    return _json(row).decode()


def record_json(columns: Sequence[str], row: Sequence[Any]) -> str:
    """Return a row as a JSON object by column."""
    return _json(dict(zip(columns, row, strict=True))).decode()


def scalar(cell: Any, schema: dict[str, Any]) -> Any:
    """Return one cell as its declared type has it: a decimal as a number where one is declared."""
    if isinstance(cell, Decimal) and schema.get("type") in ("number", "integer"):
        return int(cell) if schema["type"] == "integer" and cell == int(cell) else float(cell)
    return orjson.loads(_json([cell]))[0]


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        return orjson.dumps(_tamed(value), default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        whole = cell.is_finite() and cell == cell.to_integral_value() and int(cell) in _INTEGERS
        return int(cell) if whole else str(cell)
    if isinstance(cell, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(cell)).decode()
    return str(cell)


def _tamed(value: Any) -> Any:
    """Return what JSON libraries refuse as text: integers over 64 bits, broken Unicode."""
    if isinstance(value, dict):
        return {str(key): _tamed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tamed(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value not in _INTEGERS:
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value

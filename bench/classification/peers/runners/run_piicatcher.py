"""Answers with what piicatcher's scanner of column names says; it reads no values."""

import json
import sys
from typing import Any

from piicatcher.scanner import ColumnNameScanner

tables: dict[str, dict[str, Any]] = json.load(sys.stdin)
scanner = ColumnNameScanner()
answers = {
    table: {column: sorted(kind.name for kind in scanner.scan(column)) for column in columns}
    for table, columns in tables.items()
}
json.dump(answers, sys.stdout)

"""Every route of the published document, as a request that can be sent."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import JSON

from api.reference import example
from models.tables import Table
from models.tables.base import now

PUBLIC = frozenset(
    {
        "livez", "metrics", "readyz", "refresh_sign_in", "sign_in", "version",
    }
)  # fmt: skip
"""The only operations that answer somebody unknown."""

OWN = frozenset(
    {
        "change_password", "create_api_key", "decide", "get_profile", "list_api_keys",
        "list_permissions", "list_workspaces", "revoke_api_key", "sign_out", "update_profile",
        "list_operations", "job_schema",
    }
)  # fmt: skip
"""Operations on oneself, or that show what is the same for everybody: no right is needed."""

TENANT_WIDE = frozenset({"get_user", "update_user"})
"""Operations on what belongs to no workspace: refused by right, not by workspace."""


NOT_SEEDED = frozenset({"get_asset_as_of", "get_control"})
"""Operations that find no seeded row: one asks for a time before it, one for what ships."""


@dataclass(frozen=True)
class Route:
    """One operation, and how to call it."""

    method: str
    path: str
    operation: dict[str, Any]
    document: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.operation["operationId"])

    @property
    def path_parameters(self) -> list[str]:
        found = self.operation.get("parameters", [])
        return [p["name"] for p in found if p["in"] == "path"]

    @property
    def takes_ids(self) -> bool:
        """Names are looked up in one's own workspace alone, so they lead to no other."""
        return bool(self.path_parameters) and self.path_parameters != ["name"]

    def with_ids(self, id_: str) -> dict[str, str]:
        """The id for every path parameter that takes one, a number for those that count."""
        found = [p for p in self.operation.get("parameters", []) if p["in"] == "path"]
        return {p["name"]: "1" if p["schema"].get("type") == "integer" else id_ for p in found}

    def send(self, client: httpx.Client, ids: dict[str, str]) -> httpx.Response:
        """Call it with these ids, its own example as body, and whatever else it demands."""
        headers = {"If-Match": '"1"'}
        body = self._body()
        raw = {} if body is not None else self._raw_body(headers)
        with client.stream(
            self.method.upper(),
            self.path.format(**ids),
            params=self._query(),
            headers=headers,
            **({"json": body} if body is not None else raw),
        ) as answer:
            # A live stream that opened would never end: its status tells all.
            if "event-stream" not in answer.headers.get("content-type", ""):
                answer.read()
            return answer

    def _query(self) -> dict[str, Any]:
        found = self.operation.get("parameters", [])
        return {
            p["name"]: p.get("example") or example(self.document, p["schema"])
            for p in found
            if p["in"] == "query" and p.get("required")
        }

    def _raw_body(self, headers: dict[str, str]) -> dict[str, Any]:
        """Some bytes for an operation that takes no JSON."""
        media = next(iter(self.operation.get("requestBody", {}).get("content", {})), None)
        if media is None:
            return {}
        headers["Content-Type"] = media
        return {"content": b"some bytes"}

    def _body(self) -> Any:
        content = self.operation.get("requestBody", {}).get("content", {})
        media = content.get("application/json")
        return example(self.document, media["schema"]) if media else None


def routes(document: dict[str, Any]) -> list[Route]:
    return [
        Route(method, path, operation, document)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def nowhere(route: Route) -> dict[str, str]:
    """Ids of nothing for each path parameter."""
    return route.with_ids("none_00000000000000000000000000")


def ids_for(route: Route, seeded: dict[str, str]) -> list[str]:
    """The seeded ids that a route's first parameter may mean: by its name, else all of them."""
    stem = route.path_parameters[0].removesuffix("_id")
    return [id_ for table, id_ in seeded.items() if stem in table] or list(seeded.values())


def rows_of_workspace(workspace_id: str, user_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A row for every table, parents first, all in one workspace: whatever tables there are."""
    made: dict[str, dict[str, Any]] = {
        "workspaces": {"id": workspace_id},
        "users": {"id": user_id},
    }
    count = itertools.count(1)
    for table in Table.metadata.sorted_tables:
        if table.name in made or table.name in ("activity_chains", "activities"):
            continue
        row: dict[str, Any] = {}
        for column in table.columns:
            foreign = next(iter(column.foreign_keys), None)
            if foreign is not None:
                parent = made.get(foreign.column.table.name)
                row[column.name] = parent[foreign.column.name] if parent else None
            elif column.name == "workspace_id":
                row[column.name] = workspace_id
            elif not column.nullable or column.primary_key:
                row[column.name] = _value(column, table.name, next(count))
        made[table.name] = row
        yield table.name, row


def _value(column: Any, table: str, n: int) -> Any:
    if column.default is not None and column.default.is_scalar:
        return column.default.arg
    if column.name == "owner":
        return "ws_of_nobody"
    if isinstance(column.type, JSON):
        return {}
    kind = column.type.python_type
    if kind is str:
        # What a scope is can be read from its id's prefix.
        prefix = {"sources": "src", "assets": "ast"}.get(table, table[:12])
        return f"{prefix}_{n}"[: column.type.length]
    plain: dict[type, Any] = {int: 1, bool: False, float: 0.5, bytes: b"x"}
    return plain[kind] if kind in plain else now()

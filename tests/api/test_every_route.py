"""What must hold for every route there is, read from the published document."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import insert

from models.session import Database
from models.tables import Table
from tests.api.routes_walk import (
    NOT_SEEDED,
    OWN,
    PUBLIC,
    TENANT_WIDE,
    Route,
    ids_for,
    nowhere,
    routes,
    rows_of_workspace,
)
from tests.api.server import Api


@pytest.fixture
def all_routes(api: Api) -> list[Route]:
    return routes(api.anonymous().get("/openapi.json").json())


def test_the_lists_of_exceptions_name_routes_that_exist(all_routes: list[Route]) -> None:
    names = {route.name for route in all_routes}
    assert names >= PUBLIC | TENANT_WIDE
    assert {name for name in OWN if name not in names} <= {"job_schema"}


def test_nobody_gets_past_the_public_routes(api: Api, all_routes: list[Route]) -> None:
    client = api.anonymous()
    open_ = {
        route.name
        for route in all_routes
        if route.send(client, nowhere(route)).status_code != 401 and route.name not in PUBLIC
    }
    assert open_ == set()


def test_every_route_refuses_whoever_has_no_right(api: Api, all_routes: list[Route]) -> None:
    client = api.as_user()
    answers = {
        f"{route.name} ({route.method} {route.path})": answer.status_code
        for route in all_routes
        if route.name not in PUBLIC | OWN
        for answer in [route.send(client, nowhere(route))]
    }
    wrong = {name: status for name, status in answers.items() if status not in (403, 404)}
    assert wrong == {}, "422 means that the route's own example does not fit it"
    # A route that answers 404 before it asks would hide a missing check: most must say 403.
    assert Counter(answers.values())[403] > len(answers) / 2


def test_whoever_may_asks_for_nothing_in_vain(api: Api, all_routes: list[Route]) -> None:
    """The same requests, sent by one who may: proof that the refusals above were about rights."""
    client = api.as_admin()
    refused = {
        route.name
        for route in all_routes
        if route.name not in PUBLIC and route.name != "sign_out"
        if route.send(client, nowhere(route)).status_code in (401, 403)
    }
    assert refused == set()


def test_no_id_of_another_workspace_is_there(api: Api, all_routes: list[Route]) -> None:
    elsewhere = api.new_workspace("elsewhere")
    seeded = _seed(api.db, elsewhere, _admin_id(api)) | {"workspaces": elsewhere}
    client = api.as_user(["*:*"])
    with_ids = [r for r in all_routes if r.takes_ids and r.name not in PUBLIC | TENANT_WIDE]
    found = {
        f"{route.name} {id_}": answer.status_code
        for route in with_ids
        for id_ in ids_for(route, seeded)
        for answer in [route.send(client, route.with_ids(id_))]
        if answer.status_code != 404
    }
    assert sorted(found) == []
    # The ids are really there: whoever is in that workspace gets them by the routes that read.
    inside = api.as_admin(**{"Racine-Workspace": elsewhere})
    readable = [r for r in with_ids if r.method == "get" and len(r.path_parameters) == 1]
    blind = {
        route.name
        for route in readable
        if all(
            route.send(inside, route.with_ids(id_)).status_code == 404
            for id_ in ids_for(route, seeded)
        )
    }
    assert blind == NOT_SEEDED


def _admin_id(api: Api) -> str:
    return str(api.as_admin().get("/api/auth/profile").json()["id"])


def _seed(db: Database, workspace_id: str, user_id: str) -> dict[str, str]:
    """Write a row into every table and return their ids by table."""
    ids = {}
    with db.write() as session:
        for name, row in rows_of_workspace(workspace_id, user_id):
            values: dict[str, Any] = dict(row)
            session.execute(insert(Table.metadata.tables[name]).values(values))
            if isinstance(row.get("id"), str):
                ids[name] = row["id"]
    return ids

"""The one predicate, over both engines."""

import random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.session import Database
from models.stores import activities
from models.tables.access import Grant, Role, User
from models.tables.activities import Activity
from models.tables.base import now
from models.tables.catalog import Asset
from models.tables.sources import Source
from models.tables.workspaces import Workspace
from racine.errors import Forbidden, NotFound
from racine.governance.rbac.decision import TENANT
from services import access, audit
from services.access import Actor

PERMISSIONS = ["catalog:read", "catalog:*", "*:read", "*:*", "compliance:write"]


def estate(session: Session) -> list[Asset]:
    """Two workspaces with two sources each, two assets a source and one without a source."""
    assets = []
    for w in ("ws_1", "ws_2"):
        session.add(Workspace(id=w, slug=w, title=w))
        session.flush()
        for s in (f"src_{w}_1", f"src_{w}_2"):
            session.add(
                Source(id=s, workspace_id=w, name=s, kind="sqlite", location="/x", updated_at=now())
            )
            session.flush()
            assets += [_asset(w, s, n) for n in (1, 2)]
        assets.append(_asset(w, None, 3))
    session.add_all(assets)
    session.add(User(id="usr_1", email="a@example.org", name="Ada", updated_at=now()))
    session.flush()
    return assets


def _asset(workspace: str, source: str | None, n: int) -> Asset:
    name = f"{source or workspace}_{n}"
    return Asset(
        id=f"ast_{name}", workspace_id=workspace, source_id=source, qualified_name=name, name=name,
        kind="table", version=1, content_hash="", facts={}, updated_at=now(),
    )  # fmt: skip


def give(session: Session, role: str, patterns: list[str], scope: str, denies: bool) -> None:
    session.add(
        Role(id=role, owner=TENANT, name=role, permissions=patterns, updated_at=now(), title="")
    )
    session.flush()
    session.add(
        Grant(
            id=f"grt_{role}", user_id="usr_1", role_id=role, scope=scope, denies=denies,
            granted_by="usr_system",
        )
    )  # fmt: skip
    session.flush()


def test_the_filter_keeps_exactly_what_the_decision_allows(db: Database) -> None:
    with db.write() as session:
        assets = estate(session)
    scopes = [TENANT, "ws_1", "ws_2", *{a.source_id for a in assets if a.source_id}]
    scopes += [a.id for a in assets]
    chance = random.Random(7)
    for round_ in range(60):
        with db.engine.connect() as connection, connection.begin() as undone:
            session = Session(connection)
            for n in range(chance.randint(0, 4)):
                give(
                    session, f"role_{round_}_{n}", chance.sample(PERMISSIONS, 2),
                    chance.choice(scopes), chance.random() < 0.3,
                )  # fmt: skip
            for workspace in ("ws_1", "ws_2"):
                _agree(session, assets, Actor("usr_1", "Ada", workspace))
            session.close()
            undone.rollback()


def _agree(session: Session, assets: list[Asset], actor: Actor) -> None:
    mine = [asset for asset in assets if asset.workspace_id == actor.workspace_id]
    decided = {
        a.id
        for a in mine
        if access.explain(session, actor, "catalog:read", scope=a.id).allowed
    }  # fmt: skip
    try:
        condition = access.visible(
            session, actor, "catalog:read",
            workspace=Asset.workspace_id, source=Asset.source_id, asset=Asset.id,
        )  # fmt: skip
    except Forbidden:
        assert decided == set()
        return
    assert set(session.scalars(select(Asset.id).where(condition))) == decided


def test_an_object_of_another_workspace_is_not_there(db: Database) -> None:
    with db.write() as session:
        estate(session)
        give(session, "all", ["*:*"], TENANT, False)
        actor = Actor("usr_1", "Ada", "ws_1")
        for scope in ("src_ws_2_1", "ast_ws_2_3", "src_nowhere", "ast_nowhere"):
            with pytest.raises(NotFound, match=scope):
                access.require(session, actor, "catalog:read", scope=scope)
        with pytest.raises(NotFound):
            access.same_workspace(actor, "ws_2", "thing")


def test_a_key_narrows_its_owner_and_never_reaches_the_tenant(db: Database) -> None:
    with db.write() as session:
        estate(session)
        give(session, "all", ["*:*"], TENANT, False)
        key = Actor("usr_1", "Ada", "ws_1", key_permissions=("catalog:*",))
        access.require(session, key, "catalog:write")
        for permission, scope in (("compliance:read", None), ("catalog:read", TENANT)):
            with pytest.raises(Forbidden, match="API key"):
                access.require(session, key, permission, scope=scope)
        with pytest.raises(NotFound):
            access.require(session, key, "catalog:read", scope="ws_2")


def test_a_permission_that_does_not_exist_is_a_fault_of_ours(sqlite_db: Database) -> None:
    with sqlite_db.read() as session, pytest.raises(ValueError, match="catalogue:read"):
        access.require(session, access.system("ws_1"), "catalogue:read")


def _record_and_break_off(db: Database, actor: Actor) -> None:
    with db.write() as session:
        audit.record(session, actor, "source.delete", "src_1")
        raise RuntimeError


def test_rows_of_a_call_join_the_chain_with_it(db: Database) -> None:
    actor = Actor("usr_1", "Ada", "ws_1", request_id="req_1", origin="127.0.0.1")
    with db.write() as session:
        audit.record(session, actor, "source.create", "src_1", after={"password": "x", "n": 1})
        audit.record(session, actor, "source.update", "src_1", before={"url": "db://u:pw@host/x"})
    with pytest.raises(RuntimeError):
        _record_and_break_off(db, actor)
    with db.read() as session:
        rows = list(session.scalars(select(Activity).order_by(Activity.number)))
    assert [row.action for row in rows] == ["source.create", "source.update"]
    assert rows[0].after == {"password": "[redacted]", "n": 1}
    assert rows[1].before == {"url": "db://u:[redacted]@host/x"}
    assert rows[0].previous_hash == activities.FIRST_HASH
    assert rows[1].previous_hash == rows[0].hash

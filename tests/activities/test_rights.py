"""A task may do what its run's actor may at that moment, and nothing more."""

from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import rights
from activities.operations import activities
from models.messages import RunContext, TaskCall
from models.session import Database
from models.stores import grants, users
from models.tables.access import Role
from models.tables.base import now
from models.tables.workspaces import Workspace
from racine import registry
from racine.errors import Forbidden
from racine.governance.rbac.decision import SYSTEM_ID, TENANT
from racine.governance.rbac.permissions import ALL
from worker import opened


@pytest.fixture
def ada(db: Database) -> str:
    """A user of one workspace who may read compliance there."""
    with db.write() as session:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
        user = users.add(session, email="ada@example.org", name="Ada", password_hash=None)
    give(db, user.id, "compliance:read")
    return user.id


def give(db: Database, user_id: str, pattern: str, *, denies: bool = False) -> str:
    with db.write() as session:
        role = Role(
            id=f"role_{pattern}_{denies}", owner=TENANT, name=f"{pattern} {denies}", title="",
            permissions=[pattern], updated_at=now(),
        )  # fmt: skip
        session.add(role)
        session.flush()
        return grants.give(
            session, user_id=user_id, role_id=role.id, scope="ws_1", by=SYSTEM_ID,
            workspace_id="ws_1", denies=denies,
        ).id  # fmt: skip


def context(actor: str, workspace_id: str = "ws_1") -> RunContext:
    return RunContext(run_id="run_1", workspace_id=workspace_id, actor=actor)


def test_what_the_actor_holds_is_allowed_and_nothing_else(db: Database, ada: str) -> None:
    rights.require(db, context(ada), "compliance:read")
    with pytest.raises(Forbidden, match=r"^Ada may not compliance:write here\.") as caught:
        rights.require(db, context(ada), "compliance:write")
    assert caught.value.details == {"permission": "compliance:write", "scope": "ws_1"}
    with pytest.raises(Forbidden):
        rights.require(db, context(ada, "ws_2"), "compliance:read")


def test_a_denial_and_a_closed_account_hold_at_once(db: Database, ada: str) -> None:
    denial = give(db, ada, "compliance:*", denies=True)
    with pytest.raises(Forbidden, match="denies compliance:read"):
        rights.require(db, context(ada), "compliance:read")
    with db.write() as session:
        session.delete(grants.get(session, denial)[0])
    rights.require(db, context(ada), "compliance:read")
    with db.write() as session:
        users.change(session, users.get(session, ada), state="disabled")
    with pytest.raises(Forbidden, match=r"Ada may not .* The account is not active"):
        rights.require(db, context(ada), "compliance:read")


def test_racine_itself_may_and_a_stranger_may_not(db: Database, ada: str) -> None:
    rights.require(db, context(SYSTEM_ID), "rbac:admin")
    with pytest.raises(Forbidden, match="usr_nobody may not"):
        rights.require(db, context("usr_nobody"), "compliance:read")


def test_a_task_without_the_right_fails_for_good(db: Database, ada: str, tmp_path: Path) -> None:
    call = TaskCall(context=context(ada), task_key="judge", input={"scan_id": "scan_none"})
    with opened(db, tmp_path) as parts:
        served = dict(zip(registry.operations(), activities(parts.attempts), strict=True))
        with pytest.raises(ApplicationError) as caught:
            ActivityEnvironment().run(served["compliance.validate"], call)
        assert (caught.value.type, caught.value.non_retryable) == ("forbidden", True)
        assert "Ada may not compliance:run here." in caught.value.message
        give(db, ada, "compliance:run")
        with pytest.raises(ApplicationError) as allowed:
            ActivityEnvironment().run(served["compliance.validate"], call)
    assert allowed.value.type == "not_found"


def test_every_operation_that_touches_the_workspace_asks_for_a_right() -> None:
    groups = [op for group in registry.groups() for op in group.operations]
    assert {op.name: op.permission for op in groups if op.permission not in ALL} == {}

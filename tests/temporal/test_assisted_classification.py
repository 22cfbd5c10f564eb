"""Assisted classification end to end: a run asks, a person answers, verdicts are kept as theirs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores import grants, runs, users
from models.tables.access import Role
from models.tables.activities import Activity
from models.tables.base import now
from models.tables.verdicts import Verdict
from racine import templates
from racine.governance.rbac.decision import TENANT
from racine.ids import new_id
from services import controls
from services.access import Actor
from services.controls import Action
from tests.activities.governing import Governing, Tables
from tests.temporal.conftest import Stack

PEOPLE: Tables = {
    "customers": {
        "id": range(40),
        "contact": [f"person{n}@example.org" for n in range(40)],
        "first_name": ["Anna", "Peter", "Maria", "Wei"] * 10,
        "last_name": ["Silva", "Novak", "Meyer", "Khan"] * 10,
    }
}
BAND = {"at_least": 0.0, "below": 1.0}
"""Everything that nobody has decided: what is uncertain depends on the shipped weights."""


@pytest.fixture
def shop(stack: Stack, tmp_path: Path) -> Governing:
    governing = Governing(stack.db, tmp_path / "shop.db", workspace_id="ws_1")
    governing.govern(PEOPLE)
    return governing


def person(stack: Stack, permissions: list[str]) -> Actor:
    with stack.db.write() as session:
        user = users.add(session, email=f"{new_id('u')}@x.org", name="Ada", password_hash=None)
        role = Role(
            id=new_id("role"), owner=TENANT, name=new_id("r"), title="",
            permissions=permissions, updated_at=now(),
        )  # fmt: skip
        session.add(role)
        session.flush()
        grants.give(
            session, user_id=user.id, role_id=role.id, scope="ws_1", by=user.id,
            workspace_id="ws_1",
        )  # fmt: skip
        return Actor(user.id, "Ada", "ws_1")


def ask(stack: Stack, shop: Governing, **parameters: Any) -> str:
    """Start the run."""
    job_id = stack.save(templates.load("assisted_classification"))
    return stack.start(job_id, source_id=shop.source_id, **(BAND | parameters))


def answer(stack: Stack, run_id: str, who: Actor, action: Action, form: Mapping[str, Any]) -> None:
    with stack.db.write() as session:
        given = {"task_key": "ask", "reason": "looked at it", "arguments": {"form": dict(form)}}
        order = controls.record(session, who, run_id, action, given)
    stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))


def waiting(stack: Stack, run_id: str) -> None:
    def look(session: Session) -> bool | None:
        events = runs.events_after(session, run_id, 0, limit=1000)
        return True if any(e.task_key == "is_uncertain" for e in events) else None

    stack.wait_for(look)


def failure(stack: Stack, run_id: str) -> dict[str, Any]:
    """Wait until the run has failed and return its error."""

    def look(session: Session) -> dict[str, Any] | None:
        run = runs.get(session, run_id)
        return run.error if run.state == "failed" else None

    return stack.wait_for(look)


def verdicts(stack: Stack, column: str) -> dict[str, Verdict]:
    with stack.db.read() as session:
        rows = session.scalars(select(Verdict).where(Verdict.column_name == column))
        return {row.kind: row for row in rows}


def test_answers_become_the_verdicts_of_who_gave_them(stack: Stack, shop: Governing) -> None:
    ada = person(stack, ["*:*"])
    run_id = ask(stack, shop)
    waiting(stack, run_id)
    form = {"decisions": {"customers.contact": "username", "customers.first_name": "rejected"}}
    answer(stack, run_id, ada, Action.APPROVE, form)
    result = stack.result(run_id)
    assert result.state == "completed", result
    contact, first, last = (
        verdicts(stack, name) for name in ("contact", "first_name", "last_name")
    )
    assert (contact["email"].state, contact["email"].decided_by) == ("rejected", ada.id)
    assert (contact["username"].state, contact["username"].applied) == ("confirmed", True)
    assert (first["person_name"].state, first["person_name"].applied) == ("rejected", False)
    assert (last["person_name"].state, last["person_name"].reason) == ("confirmed", "looked at it")
    with stack.db.read() as session:
        noted = session.scalars(select(Activity).where(Activity.action.like("verdict.%"))).all()
    assert {row.actor_id for row in noted} == {ada.id}
    shop.scan()
    shop.classify()
    assert verdicts(stack, "first_name")["person_name"].state == "rejected", "pinned for good"


def test_a_rejected_proposal_decides_nothing(stack: Stack, shop: Governing) -> None:
    ada = person(stack, ["*:*"])
    run_id = ask(stack, shop)
    waiting(stack, run_id)
    answer(stack, run_id, ada, Action.REJECT, {})
    assert stack.result(run_id).state == "completed"
    assert verdicts(stack, "contact")["email"].state == "suggested"


def test_nothing_uncertain_asks_nobody(stack: Stack, shop: Governing) -> None:
    run_id = ask(stack, shop, at_least=0.5, below=0.5)
    result = stack.result(run_id)
    assert (result.state, result.outputs["waiting"]) == ("completed", 0)
    assert result.outputs["sure"] >= 3


def test_the_word_of_one_who_may_not_decide_classifications_does_not_count(
    stack: Stack, shop: Governing
) -> None:
    eve = person(stack, ["workflows:*"])
    run_id = ask(stack, shop)
    waiting(stack, run_id)
    answer(stack, run_id, eve, Action.APPROVE, {})
    assert failure(stack, run_id)["code"] == "forbidden"
    assert verdicts(stack, "contact")["email"].state == "suggested"


def test_a_job_cannot_make_up_an_approval(stack: Stack, shop: Governing) -> None:
    chosen = verdicts(stack, "contact")["email"].id
    given = {"source_id": shop.source_id, "verdict_ids": [chosen], "approval": "ask"}
    task = {"operation": "classifications.review", "input": given}
    document: dict[str, object] = {
        "spec_version": "1",
        "name": "forged",
        "tasks": [{"task_key": "apply", "operation_task": task}],
    }
    run_id = stack.start(stack.save(document))
    assert "Nobody has approved" in failure(stack, run_id)["message"]
    assert verdicts(stack, "contact")["email"].state == "suggested"

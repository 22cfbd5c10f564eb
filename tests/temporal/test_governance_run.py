"""The governance run, end to end on a real Temporal server."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.messages import RunResult
from models.stores import grants, runs, users
from models.tables.access import Role
from models.tables.base import now
from models.tables.catalog import Asset, AssetVersion
from models.tables.compliance import Finding
from models.tables.notifications import Notification
from models.tables.schedules import Schedule
from models.tables.sources import Source
from racine import templates
from racine.errors import Forbidden
from racine.governance.rbac.decision import TENANT
from racine.ids import new_id
from services import executions
from services.access import Actor
from tests.temporal.conftest import Stack

CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117",
         "4012888888881881", "5105105105105100", "4222222222222"]  # fmt: skip


def make_shop(path: Path) -> None:
    with sqlite3.connect(path) as shop:
        shop.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, contact TEXT)")
        shop.executemany(
            "INSERT INTO customers VALUES (?, ?)",
            [(n, f"person{n}@example.org") for n in range(50)],
        )
        shop.execute("CREATE TABLE payments (id INTEGER PRIMARY KEY, card_number TEXT)")
        shop.executemany("INSERT INTO payments VALUES (?, ?)", enumerate(CARDS))


def run(stack: Stack, job_id: str, shop: Path) -> tuple[str, RunResult]:
    run_id = stack.start(job_id, name="shop", kind="sqlite", location=str(shop))
    return run_id, stack.result(run_id)


def assets(stack: Stack) -> dict[str, Asset]:
    with stack.db.read() as session:
        return {asset.qualified_name: asset for asset in session.scalars(select(Asset))}


def finding(stack: Stack, control: str, subject: str) -> Finding:
    with stack.db.read() as session:
        wanted = select(Finding).where(Finding.control == control, Finding.subject == subject)
        return session.scalars(wanted).one()


def test_a_governance_run_publishes_what_it_found(stack: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    make_shop(shop)
    job_id = stack.save(templates.load("governance_run"))
    run_id, result = run(stack, job_id, shop)
    assert result.state == "completed", result
    assert result.outputs["assets"] == 2
    assert result.outputs["by_kind"] == {"email": 1, "credit_card": 1}
    found = assets(stack)
    assert set(found) == {
        "shop", "shop/customers", "shop/customers/id", "shop/customers/contact",
        "shop/payments", "shop/payments/id", "shop/payments/card_number",
    }  # fmt: skip
    assert found["shop/customers"].facts["columns"]["contact"]["kinds"] == ["email"]
    assert (found["shop"].sensitivity, found["shop"].compliance) == ("restricted", "fail")
    assert finding(stack, "PCI-3.5.1", "payments.card_number").state == "open"
    assert finding(stack, "ISO-A.5.9", "customers").evidence["owner"] is None
    with stack.db.read() as session:
        assert runs.get(session, run_id).state == "completed"
        assert session.scalars(select(Source)).one().state == "monitoring"
        schedule = session.scalars(select(Schedule)).one()
        notification = session.scalars(select(Notification)).one()
    assert (schedule.cron, schedule.parameters["name"]) == ("17 3 * * *", "shop")
    assert schedule.id == result.outputs["schedule_id"]
    assert result.outputs["plan"]["closes"] >= 1
    assert notification.id == result.outputs["notification_id"]
    assert ("notify", "succeeded") in stack.events(run_id)


def test_a_run_that_is_not_to_be_monitored_makes_no_schedule(stack: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    make_shop(shop)
    job_id = stack.save(templates.load("governance_run"))
    run_id = stack.start(job_id, name="shop", kind="sqlite", location=str(shop), monitor_cron=None)
    result = stack.result(run_id)
    assert (result.state, result.outputs["schedule_id"]) == ("completed", None)
    with stack.db.read() as session:
        assert session.scalars(select(Schedule)).all() == []
        assert session.scalars(select(Source)).one().state == "cataloged"


def test_a_right_taken_before_its_task_ends_the_run_there(stack: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    make_shop(shop)
    job_id = stack.save(templates.load("governance_run"))
    ada = member(stack, ["*:*"])
    given = {"name": "shop", "kind": "sqlite", "location": str(shop)}
    with stack.db.write() as session:
        launch = executions.record(session, ada, job_id, given)
    grant(stack, ada.id, ["compliance:*"], denies=True)
    with stack.db.write() as session, pytest.raises(Forbidden, match=r"compliance\.validate"):
        executions.record(session, ada, job_id, given)
    stack.temporal.run(executions.start(stack.temporal.client, launch))
    events = stack.events(launch.run_id)
    with stack.db.read() as session:
        run_row = runs.get(session, launch.run_id)
    assert run_row.state == "failed"
    assert run_row.error is not None
    assert run_row.error["code"] == "forbidden"
    assert "Ada may not compliance:run here." in run_row.error["message"]
    assert events.count(("validate", "failed")) == 1, "a refusal is not tried again"
    assert ("classify", "succeeded") in events
    with stack.db.read() as session:
        assert session.scalars(select(Finding)).all() == []


def member(stack: Stack, permissions: list[str]) -> Actor:
    with stack.db.write() as session:
        user = users.add(session, email="ada@example.org", name="Ada", password_hash=None)
    grant(stack, user.id, permissions)
    return Actor(user.id, user.name, stack.actor.workspace_id)


def grant(stack: Stack, user_id: str, permissions: list[str], *, denies: bool = False) -> None:
    workspace_id = stack.actor.workspace_id
    with stack.db.write() as session:
        role = Role(
            id=new_id("role"), owner=TENANT, name=new_id("r"), title="",
            permissions=permissions, updated_at=now(),
        )  # fmt: skip
        session.add(role)
        session.flush()
        grants.give(
            session, user_id=user_id, role_id=role.id, scope=workspace_id, by=user_id,
            workspace_id=workspace_id, denies=denies,
        )  # fmt: skip


def test_no_value_of_the_data_is_kept(stack: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    make_shop(shop)
    run(stack, stack.save(templates.load("governance_run")), shop)
    with stack.db.engine.connect() as connection:
        kept = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "customers" in kept
    assert "person7@example.org" not in kept
    assert not any(card in kept for card in CARDS)


def test_a_finding_that_was_fixed_is_closed_by_the_next_run(stack: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    make_shop(shop)
    job_id = stack.save(templates.load("governance_run"))
    run(stack, job_id, shop)
    opened = finding(stack, "PCI-3.5.1", "payments.card_number")
    with sqlite3.connect(shop) as connection:
        connection.execute(
            "UPDATE payments SET card_number = '**** **** **** ' || substr(card_number, -4)"
        )
    _, second = run(stack, job_id, shop)
    assert second.outputs["closed"] >= 1
    closed = finding(stack, "PCI-3.5.1", "payments.card_number")
    assert (opened.id, opened.state) == (closed.id, "open")
    assert (closed.state, closed.closed_at is not None) == ("closed", True)


def test_the_same_source_again_makes_no_new_version(stack: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    make_shop(shop)
    job_id = stack.save(templates.load("governance_run"))
    run(stack, job_id, shop)
    before = {name: asset.version for name, asset in assets(stack).items()}
    _, again = run(stack, job_id, shop)
    assert again.outputs["published"] == 2 + 4 + 1
    assert {name: asset.version for name, asset in assets(stack).items()} == before
    with stack.db.read() as session:
        versions: list[Any] = list(session.scalars(select(AssetVersion)))
    assert len(versions) == len(before)

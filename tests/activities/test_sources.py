"""The operations of data sources, on both engines."""

from pathlib import Path

import pytest

from models.keys import root_key
from models.session import Database
from models.settings import Settings
from models.stores import rule_sets, scans, secrets, sources
from racine.errors import Conflict, InvalidInput, NotFound, SourceFault
from racine.governance.data_sources import states
from racine.governance.data_sources.states import SourceState
from tests.activities.worlds import World, shop, world


def state(of: World, source_id: str) -> tuple[str, str | None]:
    with of.call.db.read() as session:
        found = sources.get(session, source_id)
        return found.state, found.state_reason


def registered(of: World, location: Path | str, kind: str = "sqlite", **given: str) -> str:
    result = of.do("data_sources.register", name="shop", kind=kind, location=str(location), **given)
    return str(result.source_id)


def test_a_source_goes_through_its_life(db: Database, tmp_path: Path) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    assert state(run, source) == ("registered", None)
    assert run.do("data_sources.test", source_id=source).ok
    assert state(run, source) == ("connected", None)
    found = run.do("data_sources.discover", source_id=source)
    assert (found.assets, found.clean) == (3, True)
    assert state(run, source) == ("scanning", None)
    result = run.do("scan_logic.scan", scan_id=found.scan_id)
    assert (result.assets, result.columns, result.rows, result.errors) == (3, 9, 150, 0)
    assert state(run, source) == ("scanned", None)


def test_a_source_that_is_not_there_fails_and_can_be_tried_again(
    db: Database, tmp_path: Path
) -> None:
    run = world(db)
    source = registered(run, tmp_path / "shop.db")
    with pytest.raises(SourceFault, match=r"failed at find: .* does not exist") as caught:
        run.do("data_sources.test", source_id=source)
    assert caught.value.next_step == "Check the source's location."
    now, reason = state(run, source)
    assert now == "failed"
    assert reason is not None
    assert "does not exist" in reason
    shop(tmp_path / "shop.db")
    assert run.do("data_sources.test", source_id=source).ok
    assert state(run, source) == ("connected", None)


def test_a_source_that_was_not_tested_cannot_be_scanned(db: Database, tmp_path: Path) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    with pytest.raises(Conflict, match="is registered and cannot become scanning") as caught:
        run.do("data_sources.discover", source_id=source)
    assert caught.value.next_step == "From registered it can become: configuring, archived."


def test_health_is_measured_without_touching_the_state(db: Database, tmp_path: Path) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    run.do("data_sources.test", source_id=source)
    (tmp_path / "shop.db").unlink()
    health = run.do("data_sources.monitor_health", source_id=source)
    assert (health.ok, health.state) == (False, "connected")
    assert "does not exist" in health.detail
    with db.read() as session:
        kept = sources.get(session, source).health
    assert [step["step"] for step in kept["steps"]] == ["find"]


def test_registering_again_changes_what_is_new_and_nothing_else(
    db: Database, tmp_path: Path
) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    run.do("data_sources.test", source_id=source)
    assert registered(run, tmp_path / "shop.db") == source
    assert state(run, source)[0] == "connected"
    assert registered(run, shop(tmp_path / "other.db")) == source
    assert state(run, source)[0] == "registered"


def test_an_archived_source_is_left_alone(db: Database, tmp_path: Path) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    assert run.do("data_sources.archive", source_id=source).state == "archived"
    with pytest.raises(Conflict):
        run.do("data_sources.test", source_id=source)
    with pytest.raises(Conflict):
        registered(run, tmp_path / "shop.db")


def test_a_password_in_the_location_is_refused(sqlite_db: Database) -> None:
    with pytest.raises(InvalidInput, match="holds a password") as caught:
        registered(world(sqlite_db), "postgresql://u:hunter2@localhost/shop", "postgresql")
    assert "env:NAME" in caught.value.next_step
    assert "hunter2" not in str(caught.value)


def test_another_workspace_source_is_not_found(sqlite_db: Database, tmp_path: Path) -> None:
    source = registered(world(sqlite_db), shop(tmp_path / "shop.db"))
    stranger = world(sqlite_db, "ws_2")
    for operation in ("test", "discover", "monitor_health", "archive"):
        with pytest.raises(NotFound):
            stranger.do(f"data_sources.{operation}", source_id=source)


def test_discovering_again_in_one_task_makes_one_scan(db: Database, tmp_path: Path) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    run.do("data_sources.test", source_id=source)
    first = run.do("data_sources.discover", source_id=source)
    again = run.attempt(2).do("data_sources.discover", source_id=source)
    assert again == first
    with db.read() as session:
        assert len(scans.assets(session, first.scan_id)) == 3


def test_the_rules_decide_what_is_taken_in(db: Database, tmp_path: Path) -> None:
    run = world(db)
    source = registered(run, shop(tmp_path / "shop.db"))
    run.do("data_sources.test", source_id=source)
    with db.write() as session:
        rules = {"exclude": ["*_1"], "sample": "all"}
        rule_set = rule_sets.save(session, "ws_1", "most", rules, "usr_1").id
    found = run.do("data_sources.discover", source_id=source, rule_set_id=rule_set)
    assert (found.assets, found.excluded) == (2, 1)
    plan = run.do("scan_logic.plan", scan_id=found.scan_id)
    assert (plan.assets, plan.excluded, plan.largest) == (2, 1, ["customers_0", "customers_2"])
    with db.read() as session:
        scan = scans.get(session, found.scan_id)
        assert (scan.rule_set_version, scan.settings["rules"]["sample"]) == (1, "all")
        assert scans.listed_names(session, scan.id) == [f"customers_{n}" for n in range(3)]


def test_credentials_come_by_reference(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RACINE_DATA_DIR", str(tmp_path))
    run = world(sqlite_db)
    missing = {
        "env:NOT_SET_ANYWHERE": "variable NOT_SET_ANYWHERE .* is not set",
        f"file:{tmp_path}/none": "cannot be read",
        "secret:none": "There is no secret named 'none'",
        "env:RACINE_SECRET_KEY": "Racine's own settings",
    }
    for reference, said in missing.items():
        source = registered(run, "/x.db", credential=reference)
        with pytest.raises(SourceFault, match=said):
            run.do("data_sources.test", source_id=source)


def test_a_sealed_secret_opens_in_its_own_row_only(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RACINE_DATA_DIR", str(tmp_path))
    world(sqlite_db)
    root = root_key(Settings(database_url=sqlite_db.url))
    with sqlite_db.write() as session:
        secrets.save(session, "ws_1", "mine", "hunter2", root)
        other = secrets.save(session, "ws_1", "other", "12345", root)
        assert secrets.reveal(session, "ws_1", "mine", root) == "hunter2"
        mine = secrets.get(session, "ws_1", "mine")
        other.nonce, other.sealed = mine.nonce, mine.sealed
        with pytest.raises(Conflict, match="damaged"):
            secrets.reveal(session, "ws_1", "other", root)
        with pytest.raises(Conflict, match="another key"):
            secrets.reveal(session, "ws_1", "mine", b"x" * 32)
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_every_transition_is_listed_or_refused() -> None:
    for state_ in SourceState:
        for to in SourceState:
            if to is state_ or to in states.allowed(state_):
                states.check("shop", state_, to)
            else:
                with pytest.raises(Conflict, match=f"cannot become {to}"):
                    states.check("shop", state_, to)

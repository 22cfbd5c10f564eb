"""Whatever is killed in mid-scan: the run ends with the result of an undisturbed one."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo.runs import sign_in
from racine.client import Client
from services.bootstrap import ADMIN_EMAIL
from tests.chaos.big_source import (
    Index,
    has_completed,
    make_big_source,
    make_long_tables,
    start,
)
from tests.eventually import eventually
from tests.local.stack import ROOT, DevStack, dev_stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_big_source(tmp_path / "big.db")
    return tmp_path / "big.db"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(f"sqlite:///{tmp_path}/state/racine.db")
    yield index
    index.close()


def test_a_killed_worker_changes_no_result(tmp_path: Path, source: Path, index: Index) -> None:
    with dev_stack(tmp_path / "state") as stack, _signed_in(stack) as racine:
        undisturbed = start(racine, source)
        eventually(lambda: has_completed(racine, undisturbed), "the first run completes", 200)
        disturbed = start(racine, source)
        _wait_for_mid_scan(index, disturbed)
        stack.part(str(ROOT / "worker.py"), "activities").kill()
        eventually(lambda: has_completed(racine, disturbed), "the run completes", 200)
    assert index.attempts(disturbed, "scan") == 2
    assert index.found(disturbed) == index.found(undisturbed)
    assert len(index.found(disturbed)) == 240


def test_a_table_killed_in_its_middle_is_not_read_again(tmp_path: Path, index: Index) -> None:
    source = tmp_path / "long.db"
    make_long_tables(source)
    with dev_stack(tmp_path / "state") as stack, _signed_in(stack) as racine:
        undisturbed = start(racine, source, sample="all")
        eventually(lambda: has_completed(racine, undisturbed), "the first run completes", 300)
        found = index.findings(undisturbed)
        disturbed = start(racine, source)
        eventually(lambda: index.mid_table(disturbed), "a table is read in part", 120)
        stack.part(str(ROOT / "worker.py"), "activities").kill()
        eventually(lambda: has_completed(racine, disturbed), "the run completes", 300)
    assert index.attempts(disturbed, "scan") == 2
    assert index.facts(disturbed) == index.facts(undisturbed)
    assert sum(rows for _, rows, _, name, *_ in index.facts(disturbed) if name == "id") == 1_000_000
    assert index.findings(disturbed) == found, "a finding was made twice"
    # What is read before its chunk is kept is read again: a chunk at most, counted once.
    assert index.rows_read(disturbed) == 1_000_000


def test_a_killed_stack_continues_its_open_runs(tmp_path: Path, source: Path, index: Index) -> None:
    with dev_stack(tmp_path / "state") as stack:
        run_id = _start_and_wait_for_mid_scan(stack, source, index)
        stack.process.send_signal(signal.SIGKILL)
        stack.process.wait()
    _see_it_complete(tmp_path, run_id, index)


def test_a_stopped_stack_continues_its_open_runs(
    tmp_path: Path, source: Path, index: Index
) -> None:
    with dev_stack(tmp_path / "state") as stack:
        run_id = _start_and_wait_for_mid_scan(stack, source, index)
        stack.stop()
    _see_it_complete(tmp_path, run_id, index)


def _start_and_wait_for_mid_scan(stack: DevStack, source: Path, index: Index) -> str:
    with _signed_in(stack) as racine:
        run_id = start(racine, source)
    _wait_for_mid_scan(index, run_id)
    return run_id


def _see_it_complete(folder: Path, run_id: str, index: Index) -> None:
    with dev_stack(folder / "state") as stack, _signed_in(stack) as racine:
        eventually(lambda: has_completed(racine, run_id), "the run completes", 200)
    assert len(index.found(run_id)) == 240


def _signed_in(stack: DevStack) -> Client:
    password = stack.state.password_file.read_text().strip()
    return sign_in(stack.running.api, ADMIN_EMAIL, password)


def _wait_for_mid_scan(index: Index, run_id: str) -> None:
    eventually(lambda: index.scanned(run_id) >= 2, "two assets are scanned", 120)

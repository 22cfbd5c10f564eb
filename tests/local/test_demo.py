"""`racine demo`, as its users run it, and the state it leaves behind."""

import re
import subprocess
from pathlib import Path

import pytest

from local.demo.runs import JOB, sign_in
from services.bootstrap import ADMIN_EMAIL
from tests.local.stack import command, dev_stack

pytestmark = pytest.mark.timeout(400)

_HEADINGS = (
    "Sources", "Classified columns", "Findings", "Remediation plan of shop:", "Catalog",
    "Schedule 'monitor-src_", "over shop:", "over shop_files:",
)  # fmt: skip


def test_it_governs_the_estate_and_leaves_a_state_to_open(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    told = subprocess.run(
        command("demo", "--state", folder), capture_output=True, text=True, timeout=300
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for heading in _HEADINGS:
        assert heading in told.stdout
    assert re.search(r"PCI-3.5.1 on payments.card_number: closed", told.stdout)
    assert told.stdout.strip().endswith(f"racine dev --state {folder}")
    with dev_stack(folder) as stack:
        password = stack.state.password_file.read_text().strip()
        with sign_in(stack.running.api, ADMIN_EMAIL, password) as racine:
            outputs = [racine.run_detail(run["id"])["outputs"] for run in racine.runs(job=JOB)]
            schedules = list(racine.schedules())
            states = {
                asset["state"] for asset in racine.items("/api/advanced-catalog/assets", limit=200)
            }
    assert len(outputs) == 3
    assert all(out["classified"] > 0 for out in outputs)
    # Scanning one table again must not make the others disappear.
    assert [out["gone"] for out in outputs] == [0, 0, 0]
    assert states == {"active"}
    assert [schedule["applied"] for schedule in schedules] == [True, True]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    told = subprocess.run(
        command("demo", "--state", tmp_path), capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 2
    assert "holds files that are not Racine's" in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

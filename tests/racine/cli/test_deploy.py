"""`racine deploy` as a process of its own, against a real server with real workers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.racine.cli.test_cli import racine, server

__all__ = ["server"]

JOBS = """
import racine
from shop.rates import rate

@racine.job()
def prices(job: racine.JobBuilder) -> None:
    found = job.task("rate").python(rate)
    job.returns(rate=found.values["rate"])
"""


def folder_with(tmp_path: Path, rate: int) -> Path:
    folder = tmp_path / "code"
    (folder / "shop").mkdir(parents=True, exist_ok=True)
    (folder / "jobs.py").write_text(JOBS)
    (folder / "shop/rates.py").write_text(
        f"def rate() -> dict[str, int]:\n    return {{'rate': {rate}}}\n"
    )
    (folder / "plain.yaml").write_text("name: plain\ntasks: [{task_key: a, noop_task: {}}]\n")
    (folder / "data.json").write_text("[1, 2]")
    (folder / ".hidden.py").write_text("import nothing_of_that_name\n")
    return folder


def deploy(folder: Path, *more: str, **server: str) -> dict[str, Any]:
    told = racine("deploy", str(folder), "-o", "json", *more, **server)
    assert told.returncode == 0, told.stderr
    return dict(json.loads(told.stdout))


@pytest.mark.usefixtures("workers")
def test_a_folder_becomes_versions_that_run_its_code(
    tmp_path: Path, server: dict[str, str]
) -> None:
    folder = folder_with(tmp_path, 1)
    dry = deploy(folder, "--dry-run", **server)
    assert json.loads(racine("workflows", "list", "-o", "json", **server).stdout) == []
    first = deploy(folder, **server)
    assert (dry["bundle"], first["files"]) == (first["bundle"], 4)
    assert [(j["name"], j["version"], j["new"]) for j in first["jobs"]] == [
        ("prices", 1, True), ("plain", 1, True),
    ]  # fmt: skip
    assert [j["changed"] for j in deploy(folder, **server)["jobs"]] == [False, False]
    second = deploy(folder_with(tmp_path, 2), **server)
    assert [(j["name"], j["version"], j["changed"]) for j in second["jobs"]] == [
        ("prices", 2, True), ("plain", 1, False),
    ]  # fmt: skip
    (change,) = second["jobs"][0]["changes"]
    assert (change["field"], change["old"]) == ("bundle", first["bundle"])
    for version, rate in (("1", 1), ("2", 2)):
        ran = racine("run", "prices", "--version", version, "--wait", "-o", "json", **server)
        assert json.loads(ran.stdout)["outputs"] == {"rate": rate}, ran.stderr
    shown = racine("deploy", str(folder), **server).stdout
    assert "prices is at version 2 (as it was)" in shown


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda f: (f / "out.txt").symlink_to("/etc/hosts"), "leads out of"),
        (lambda f: (f / "json.py").write_text("import racine\n"), "cannot be imported"),
        (lambda f: (f / "bad.py").write_text("import racine, nothing_of_it\n"), "bad.py:1 fails"),
        (lambda f: (f / "twin.yaml").write_text((f / "plain.yaml").read_text()), "both define"),
        (lambda f: (f / "x.yaml").write_text("name: x\ntasks: []\n"), "/tasks"),
        (lambda f: (f / "big.bin").write_bytes(b"x" * (9 << 20)), "at most"),
    ],
    ids=["link", "shadow", "failing", "twice", "fault", "size"],
)
def test_a_folder_that_cannot_be_deployed_is_refused_whole(
    tmp_path: Path, server: dict[str, str], break_it: Any, says: str
) -> None:
    folder = folder_with(tmp_path, 1)
    break_it(folder)
    told = racine("deploy", str(folder), **server)
    assert (told.returncode, says in told.stderr) == (1, True), told.stderr
    assert json.loads(racine("workflows", "list", "-o", "json", **server).stdout) == []

"""The command line, as processes of its own, against a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.server import ADMIN_PASSWORD, Api

ROOT = Path(__file__).resolve().parents[3]
HELLO = str(ROOT / "examples/hello.json")


def racine(
    *arguments: str, given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    known = {k: v for k, v in os.environ.items() if not k.startswith("RACINE_")}
    command = [str(Path(sys.executable).parent / "racine"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, input=given,
        env={**known, "NO_COLOR": "1", "COLUMNS": "160", **environment},
    )  # fmt: skip


@pytest.fixture
def server(api_with_temporal: Api, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody with a key."""
    admin = api_with_temporal.as_admin()
    made = admin.post("/api/auth/keys", json={"name": "cli", "permissions": ["*:*"]})
    return {
        "RACINE_URL": api_with_temporal.url,
        "RACINE_API_KEY": made.json()["key"],
        "XDG_CONFIG_HOME": str(tmp_path),
    }


def test_help_is_there_at_once() -> None:
    told = racine("--help")
    assert told.returncode == 0
    for verb in ("validate", "apply", "run", "runs", "login", "dev", "migrate"):
        assert f"\n  {verb} " in told.stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = {"httpx", "pydantic", "sqlalchemy", "temporalio", "networkx", "duckdb"}
    script = (
        "import atexit, sys; from racine.cli.main import run; sys.argv[1:] = ['--help'];"
        f"atexit.register(lambda: print('loaded:', {heavy} & set(sys.modules))); run()"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "loaded: set()" in told.stdout


@pytest.mark.usefixtures("workers")
def test_a_job_is_applied_run_and_looked_at(server: dict[str, str]) -> None:
    first = racine("apply", HELLO, "examples/fan_out.py", "-o", "json", **server)
    assert first.returncode == 0, first.stderr
    assert [(s["name"], s["changed"]) for s in json.loads(first.stdout)] == [
        ("hello", True), ("fan_out", True),
    ]  # fmt: skip
    again = racine("apply", HELLO, **server)
    assert again.stdout.split()[-3:-1] == ["1", "no"]
    ran = racine("run", "hello", "-p", "name=42", "--wait", "-o", "json", **server)
    assert ran.returncode == 0, ran.stderr
    status = json.loads(ran.stdout)
    assert (status["state"], status["outputs"]) == ("completed", {"greeting": "Hello 42"})
    logs = racine("runs", "logs", status["id"], "-o", "json", **server)
    kinds = [(e["task_key"], e["kind"]) for e in map(json.loads, logs.stdout.splitlines())]
    assert ("greet", "succeeded") in kinds
    assert kinds[-1] == ("", "run_completed")
    of_task = racine("runs", "logs", status["id"], "greet", "--attempt", "1", **server).stdout
    assert "greet succeeded" in of_task
    assert "run_completed" not in of_task
    assert racine("runs", "logs", status["id"], "greet", "--attempt", "2", **server).stdout == ""
    listed = racine("runs", "list", "--job", "hello", **server)
    assert status["id"] in listed.stdout
    assert "completed" in racine("runs", "show", status["id"], **server).stdout
    watched = racine("runs", "watch", status["id"], **server)
    assert (watched.returncode, "1 of 1 tasks" in watched.stdout) == (0, True)
    assert "succeeded" in racine("runs", "tasks", status["id"], **server).stdout
    assert "█" in racine("runs", "gantt", status["id"], **server).stdout
    assert "greet  s" in racine("runs", "matrix", "hello", **server).stdout
    assert racine("runs", "failures", "hello", "-o", "json", **server).stdout == "[]\n"
    late = racine("runs", "pause", status["id"], **server)
    assert (late.returncode, late.stdout) == (1, "")
    assert "nothing to pause" in late.stderr
    made = racine("schedules", "create", "hello", "--name", "n", "--cron", "0 1 * * *", **server)
    assert made.returncode == 0, made.stderr
    assert "0 1 * * *" in racine("schedules", "list", **server).stdout


def test_faults_are_told_and_nothing_is_applied(tmp_path: Path, server: dict[str, str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "name: broken\n"
        "tasks:\n"
        "  - task_key: a\n"
        "    operation_task: {operation: racine.nop, input: {since: 2026-01-01}}\n"
    )
    told = racine("validate", str(broken), "-o", "json")
    assert told.returncode == 1
    (fault,) = json.loads(told.stdout)["faults"]
    assert fault["pointer"] == "/tasks/0/operation_task/operation"
    assert "racine.noop" in fault["next_step"]
    refused = racine("apply", HELLO, str(broken), **server)
    assert refused.returncode == 1
    assert "/tasks/0/operation_task/operation" in refused.stderr
    assert json.loads(racine("runs", "list", "-o", "json", **server).stdout) == []
    unknown = racine("run", "hello", **server)
    assert (unknown.returncode, "no job 'hello'" in unknown.stderr) == (1, True)


def test_a_fault_in_python_names_its_line(tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    module.write_text(
        "import racine\n\n"
        "@racine.job()\n"
        "def mine(job: racine.JobBuilder) -> None:\n"
        '    job.task("a").condition("1 +")\n'
    )
    told = racine("validate", str(module))
    assert told.returncode == 1
    assert f"{module}:5" in told.stdout
    assert not [line for line in told.stdout.splitlines() if line != line.rstrip()]
    module.write_text("import nothing_of_that_name\n")
    assert f"{module}:1 fails: ModuleNotFoundError" in racine("validate", str(module)).stderr
    module.write_text(
        "import racine\n\n"
        "@racine.job()\n"
        "def mine(job: racine.JobBuilder) -> None:\n"
        '    job.task("a").python(nothing_of_that_name)\n'
    )
    assert f"{module}:5 fails: NameError" in racine("validate", str(module)).stderr
    module.write_text("x = 1\n")
    assert "defines no job" in racine("validate", str(module)).stderr


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", '{"name": "a", "name": "b"}', "stands twice"),
        ("a.yaml", "name: a\nname: b\n", "stands twice"),
        ("a.json", "{", "cannot be read"),
        ("a.json", "3", "holds no job document"),
        ("a.yaml", "!!python/object:os.system {}", "cannot be read"),
    ],
)
def test_an_unreadable_file_is_said_to_be_one(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text)
    told = racine("validate", str(tmp_path / name))
    assert told.returncode == 1
    assert says in (told.stdout + told.stderr).replace("\n", " ")


def test_calls_that_make_no_sense_end_with_two(server: dict[str, str]) -> None:
    assert racine("nonsense").returncode == 2
    assert racine("run").returncode == 2
    assert racine("apply", HELLO, **server).returncode == 0
    assert racine("run", "hello", "-p", "name", **server).returncode == 2


def test_a_key_is_kept_where_only_its_owner_reads_it(
    server: dict[str, str], tmp_path: Path
) -> None:
    config = {"XDG_CONFIG_HOME": str(tmp_path)}
    none = racine("runs", "list", **config)
    assert (none.returncode, "racine login" in none.stderr) == (1, True)
    wrong = racine("login", "--url", server["RACINE_URL"], "--api-key", "rk_wrong", **config)
    assert wrong.returncode == 1
    file = tmp_path / "racine" / "profiles.json"
    assert not file.exists()
    kept = racine("login", **server)
    assert kept.returncode == 0, kept.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert racine("runs", "list", **config).returncode == 0
    elsewhere = racine("runs", "list", RACINE_URL="http://127.0.0.1:1", **config)
    assert "No API key for http://127.0.0.1:1" in elsewhere.stderr
    file.chmod(0o644)
    assert "chmod 600" in racine("runs", "list", **config).stderr
    file.chmod(0o600)
    assert racine("logout", **config).stdout == "Forgotten.\n"
    assert racine("runs", "list", **config).returncode == 1


def test_a_person_signs_in_with_a_password(server: dict[str, str], tmp_path: Path) -> None:
    config = {"XDG_CONFIG_HOME": str(tmp_path), "RACINE_URL": server["RACINE_URL"]}
    signed_in = racine(
        "login", "--email", "admin@racine.local", given=f"{ADMIN_PASSWORD}\n", **config
    )
    assert signed_in.returncode == 0, signed_in.stderr
    assert racine("runs", "list", **config).returncode == 0
    file = tmp_path / "password"
    file.write_text(f"{ADMIN_PASSWORD}\n")
    as_admin = ("login", "--email", "admin@racine.local")
    assert racine(*as_admin, "--password-file", str(file), **config).returncode == 0
    assert racine(*as_admin, RACINE_PASSWORD=ADMIN_PASSWORD, **config).returncode == 0
    wrong = racine(*as_admin, given="wrong\n", **config)
    assert wrong.returncode == 1


def test_a_server_that_is_away_is_named() -> None:
    away: dict[str, Any] = {"RACINE_URL": "http://127.0.0.1:1", "RACINE_API_KEY": "x"}
    told = racine("runs", "list", **away)
    assert told.returncode == 1
    assert "http://127.0.0.1:1 does not answer" in told.stderr

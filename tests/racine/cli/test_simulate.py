"""`racine simulate` as a process of its own: it needs no server."""

import json
from pathlib import Path

from tests.racine.cli.test_cli import racine

JOB = """
name: nightly
parameters: [{name: env, schema: {type: string}}]
tasks:
- {task_key: load, python_task: {callable: "shop:load"}}
- {task_key: big, depends_on: [{task_key: load}],
   condition_task: {expression: "tasks.load.values.rows > 10"}}
- {task_key: publish, depends_on: [{task_key: big, outcome: "true"}], noop_task: {}}
outputs: {rows: "{{ tasks.load.values.rows }}"}
"""


def test_a_file_is_simulated_with_its_mocks(tmp_path: Path) -> None:
    job, mocks = tmp_path / "job.yaml", tmp_path / "mocks.yaml"
    job.write_text(JOB)
    mocks.write_text("tasks: {load: {values: {rows: 12}, seconds: 60}}\n")
    given = ("simulate", str(job), "--mocks", str(mocks), "-p", "env=1")
    told = racine(*given, "--output", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert (found["order"], found["outputs"]) == (["load", "big", "publish"], {"rows": 12})
    assert found["seconds"] == 60
    shown = racine(*given)
    assert "publish  succeeded" in shown.stdout
    mocks.write_text("tasks: {laod: {}}\n")
    wrong = racine(*given)
    assert (wrong.returncode, "Did you mean 'load'" in wrong.stderr) == (1, True)
    mocks.write_text("tasks: {load: {error: {code: Gone}}}\n")
    assert racine(*given, "-o", "json").returncode == 1

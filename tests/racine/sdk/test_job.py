"""Jobs written in Python."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import racine
from racine.definitions.document import (
    TASK_KINDS,
    ApprovalTask,
    ConditionTask,
    ForEachTask,
    HttpTask,
    JobDocument,
    NotifyTask,
    QualityTask,
    RunJobTask,
    SqlTask,
    Task,
    WaitTask,
    WhileTask,
)
from racine.definitions.every_task import every_task
from racine.errors import InvalidInput
from racine.platform import NOOP, Echo
from racine.sdk import local
from racine.sdk.generated import python_of
from racine.sdk.options import (
    ApprovalOptions,
    HttpOptions,
    JobOptions,
    LoopOptions,
    NotifyOptions,
    QualityOptions,
    RunJobOptions,
    SignalOptions,
    SqlOptions,
    TaskOptions,
    WhileOptions,
)
from tests.racine.sdk.every_kind import every_kind
from tests.racine.sdk.pipeline import pipeline

NOTHING_SENT = {"racine.notify": lambda given: {"notification_id": given["subject"]}}


def test_a_function_makes_the_document_that_json_would() -> None:
    here = "tests.racine.sdk.pipeline"
    subject = "{{ tasks.loud.values.result }}"
    assert json.loads(json.dumps(pipeline.document)) == {
        "spec_version": "1",
        "name": "pipeline",
        "description": "Counts a table and tells whoever wants to know.",
        "tags": {"team": "data"},
        "parameters": [
            {"name": "table", "schema": {"type": "string"}, "required": True},
            {"name": "limit", "schema": {"type": "integer"}, "default": 10},
        ],
        "tasks": [
            {
                "task_key": "count",
                "python_task": {
                    "callable": f"{here}:count",
                    "parameters": {"table": "{{ params.table }}", "limit": "{{ params.limit }}"},
                },
            },
            {
                "task_key": "many",
                "depends_on": [{"task_key": "count"}],
                "condition_task": {"expression": "tasks.count.values.rows > 5"},
            },
            {
                "task_key": "first",
                "depends_on": [{"task_key": "count"}],
                "retry_policy": {"maximum_attempts": 5},
                "operation_task": {
                    "operation": "racine.noop",
                    "input": {"value": "{{ tasks.count.values.tables[0] }}"},
                },
            },
            {
                "task_key": "loud",
                "depends_on": [{"task_key": "count"}],
                "python_task": {
                    "callable": f"{here}:shout",
                    "parameters": {
                        "text": "{{ params.table }} has {{ tasks.count.values.rows }} rows"
                    },
                },
            },
            {
                "task_key": "tell",
                "depends_on": [{"task_key": "loud"}, {"task_key": "many", "outcome": "true"}],
                "operation_task": {"operation": "racine.notify", "input": {"subject": subject}},
            },
        ],
        "outputs": {
            "text": subject,
            "twice": "{{ tasks.count.values.rows * 2 }}",
            "first": "{{ tasks.first.values.value }}",
        },
    }


def test_a_job_is_tried_without_a_server() -> None:
    run = pipeline.test({"table": "orders"}, operations=NOTHING_SENT)
    assert run.state == "completed"
    assert run.outputs == {"text": "ORDERS HAS 20 ROWS", "twice": 40, "first": "orders"}
    assert run.order[0] == "count"
    assert run.tasks["tell"].values == {"notification_id": "ORDERS HAS 20 ROWS"}
    few = pipeline.test({"table": "orders", "limit": 1}, operations=NOTHING_SENT)
    assert few.tasks["tell"].state == "excluded"
    assert "tell" not in few.order


def test_what_a_trial_cannot_do_is_said_before_it_begins() -> None:
    with pytest.raises(InvalidInput, match=r"racine\.notify") as missing:
        pipeline.test({"table": "orders"})
    assert "operations=" in missing.value.next_step
    with pytest.raises(InvalidInput) as unfit:
        pipeline.test({"limit": "ten"}, operations=NOTHING_SENT)
    assert [f.pointer for f in unfit.value.faults] == ["/parameters/table", "/parameters/limit"]


def test_a_failing_function_fails_its_task_and_the_trial() -> None:
    def refuse(given: dict[str, Any]) -> None:
        raise ValueError(f"no {given['subject']}")

    run = pipeline.test({"table": "orders"}, operations={"racine.notify": refuse})
    assert run.state == "failed"
    assert run.tasks["tell"].error == {"code": "ValueError", "message": "no ORDERS HAS 20 ROWS"}


def test_every_kind_of_task_can_be_written() -> None:
    kinds = {kind for found in every_task(every_kind.typed) for kind in found.task.kinds}
    assert kinds == set(TASK_KINDS)


def test_every_fault_names_the_users_line() -> None:
    @racine.job()
    def faulty(job: racine.JobBuilder) -> None:
        one = job.task("one").operation(NOOP, Echo, value=1)
        job.task("two").operation("racine.nop", {"value": one.values.value})
        job.task("three").condition("1 +")
        job.task("four", depends_on=["nobody"]).noop()

    with pytest.raises(InvalidInput) as refusal:
        _ = faulty.document
    line = faulty.function.__code__.co_firstlineno
    begins = [fault.message.split(": ")[0] for fault in refusal.value.faults]
    assert begins == [f"{__file__}:{line + n}" for n in (5, 3, 4)]
    assert "Did you mean 'racine.noop'" in str(refusal.value)


@pytest.mark.parametrize(
    ("misuse", "way_out"),
    [
        (lambda ref: "yes" if ref > 1 else "no", "condition"),
        (lambda ref: list(ref), "Loop in the job"),
        (lambda ref: len(ref), "size"),
        (lambda ref: "x" in ref, "in the run"),
        (lambda ref: range(10)[ref], "Let a task compute"),
    ],
)
def test_python_cannot_look_into_the_future(misuse: Any, way_out: str) -> None:
    with pytest.raises(TypeError, match=way_out):
        misuse(racine.cel("tasks.a.values.rows"))


@pytest.mark.parametrize(
    ("write", "written"),
    [
        (lambda a, b: a.title, "a.title"),
        (lambda a, b: a["two words"].x, 'a["two words"].x'),
        (lambda a, b: a[0].x, "a[0].x"),
        (lambda a, b: a + 1, "a + 1"),
        (lambda a, b: "x" + a, '"x" + a'),
        (lambda a, b: (a + 1) * 2, "(a + 1) * 2"),
        (lambda a, b: (a + 1).x, "(a + 1).x"),
        (lambda a, b: a - b, "a - b"),
        (lambda a, b: a == "é", 'a == "é"'),
        (lambda a, b: a != [1, None], "a != [1, null]"),
        (lambda a, b: (a / 2) % (b + 1), "(a / 2) % (b + 1)"),
        (lambda a, b: racine.cel("a+b") * 2 >= a, "((a+b) * 2) >= a"),
    ],
)
def test_operators_write_cel(write: Any, written: str) -> None:
    expression = write(racine.cel("a"), racine.cel("b"))
    assert str.__str__(expression) == f"{{{{ {written} }}}}"


def test_a_function_that_no_worker_can_import_is_refused() -> None:
    builder = racine.JobBuilder()
    with pytest.raises(TypeError, match="define it in a module"):
        builder.task("a").python(lambda: 1)


@pytest.mark.parametrize(
    ("options", "part", "own"),
    [
        (TaskOptions, Task, {"task_key", "depends_on", *TASK_KINDS}),
        (JobOptions, JobDocument,
         {"spec_version", "name", "tasks", "on_failure", "finally_", "outputs"}),
        (LoopOptions, ForEachTask, {"inputs", "tasks"}),
        (WhileOptions, WhileTask, {"condition", "tasks"}),
        (RunJobOptions, RunJobTask, {"job", "job_parameters"}),
        (SqlOptions, SqlTask, {"source", "statement"}),
        (HttpOptions, HttpTask, {"url"}),
        (QualityOptions, QualityTask, {"checks"}),
        (NotifyOptions, NotifyTask, {"subject"}),
        (ApprovalOptions, ApprovalTask, {"prompt"}),
        (SignalOptions, WaitTask, {"duration_seconds", "until", "signal"}),
    ],
)  # fmt: skip
def test_options_are_those_of_the_document(options: Any, part: Any, own: set[str]) -> None:
    assert set(options.__annotations__) == set(part.model_fields) - own


def test_a_part_of_the_document_makes_a_task() -> None:
    builder = racine.JobBuilder()
    builder.task("a").of(ConditionTask(expression="true"))
    assert builder.tasks == [{"task_key": "a", "condition_task": {"expression": "true"}}]


def test_importing_racine_loads_nothing_heavy() -> None:
    code = "import racine, sys; print({'pydantic', 'httpx', 'networkx'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_users_code_is_typed_without_a_plugin(tmp_path: Path) -> None:
    """Strict mypy takes the right job and tells each mistake in the wrong one."""
    (tmp_path / "right.py").write_text(Path("tests/racine/sdk/pipeline.py").read_text())
    (tmp_path / "every.py").write_text(Path("tests/racine/sdk/every_kind.py").read_text())
    (tmp_path / "written.py").write_text(python_of(every_kind.typed))
    examples = [str(path.resolve()) for path in Path("examples").glob("*.py")]
    wrong = """\
import racine
from racine.platform import NOTIFY, NotifyInput

def count(table: str) -> int:
    return 1

@racine.job()
def wrong(job: racine.JobBuilder) -> None:
    job.task("a").python(count, table=1)
    job.task("b").python(count, tabel="x")
    job.task("c").operation(NOTIFY, NotifyInput, subject=2)
    d = job.task("d").operation(NOTIFY, NotifyInput, subject="x")
    d.values.nothing
    job.task("e", tries=3).noop()
    job.task("f", retry_policy=racine.RetryPolicy(attempts=3)).noop()
    job.task("g", run_if="ALL_DONE").noop()
    job.task("h").switch("x", "abc", otherwise="a")
    job.task("i").approval("Well?", required="two")
    job.task("j").for_each([1, 2], body)
    job.task("k").wait_for("long")
    job.task("l").of(racine.RetryPolicy())
    job.task("m").of(racine.SwitchTask(on="x"))
    job.task("p").wait_for_signal("paid", int, payload_schema={})
    job.task("q").wait_for_signal("paid", int).values.payload + "x"

def body(job: racine.JobBuilder, item: str) -> None:
    job.task("n").noop()

@racine.job("x", timeout="long")
def badly_said(job: racine.JobBuilder) -> None:
    job.task("o").noop()
"""
    (tmp_path / "wrong.py").write_text(wrong)
    wrong_lines = [9, 10, 11, *range(13, 25), 29]
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    told = subprocess.run(
        [sys.executable, "-m", "mypy", *examples, "right.py", "every.py", "written.py", "wrong.py",
         "--cache-dir", str(tmp_path / "c")],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    errors = [line.split(":")[:2] for line in told.stdout.splitlines() if ": error:" in line]
    assert errors == [["wrong.py", str(line)] for line in wrong_lines], told.stdout


def test_branches_loops_and_what_comes_after() -> None:
    @racine.job()
    def nightly(job: racine.JobBuilder, env: str, tables: list[str]) -> None:
        route = job.task("route").switch(env, ["prod", "uat"], default="uat")
        job.task("publish", depends_on=[route.when("prod")]).noop()

        def scan(inner: racine.JobBuilder, table: str) -> None:
            read = inner.task("read").operation(NOOP, Echo, value=f"{table} of {env}")
            inner.task("check").condition(read.values.value != "bad of prod")
            inner.task("strict", depends_on=["check"]).operation(
                "test.strict", {"table": read.values.value}
            )

        loop = job.task("loop", depends_on=[route]).for_each(tables, scan, concurrency=2)
        job.on_failure.task("alarm").operation(NOOP, Echo, value=loop.values["failed"])
        job.finally_.task("tidy").noop()

    def strict(given: dict[str, Any]) -> dict[str, Any]:
        if given["table"].startswith("bad"):
            raise ValueError("refused")
        return {}

    builder = nightly._written[1]
    assert [p for p in builder.places if "/for_each_task/" in p] == [
        f"/tasks/2/for_each_task/tasks/{n}" for n in range(3)
    ]
    document = nightly._written[0]
    loop = document["tasks"][2]["for_each_task"]
    assert (loop["inputs"], loop["concurrency"]) == ("{{ params.tables }}", 2)
    assert loop["tasks"][1]["depends_on"] == [{"task_key": "read"}]
    assert [task["task_key"] for task in document["finally"]] == ["tidy"]
    run = racine_run(nightly, {"env": "prod", "tables": ["a", "b"]}, strict)
    assert (run.state, run.tasks["publish"].state) == ("completed", "succeeded")
    assert "loop[1].strict" in run.order
    assert "alarm" not in run.tasks
    broken = racine_run(nightly, {"env": "dev", "tables": ["a", "bad"]}, strict)
    assert broken.state == "failed"
    assert broken.tasks["publish"].state == "excluded"
    assert broken.tasks["alarm"].values == {"value": 1}
    assert broken.tasks["tidy"].state == "succeeded"


def racine_run(job: Any, parameters: dict[str, Any], strict: Any) -> Any:
    """Try a job one of whose operations only the trial knows."""
    document = job._written[0]
    typed = JobDocument.model_validate(document)
    return local.run(typed, parameters, {"test.strict": strict}, {})

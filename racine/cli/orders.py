"""`racine runs pause` and the other orders to runs and their tasks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.jobs import read_parameters
from racine.cli.output import Format, Output, as_json, usage
from racine.cli.runs import Reason, Run, Task, job_of
from racine.errors import InvalidInput

_Json = Annotated[str, typer.Argument(help="A JSON object.")]
_Maybe = Annotated[
    str | None, typer.Argument(metavar="[TASK]", help="A task that has not begun; else the run.")
]

_Form = Annotated[
    str | None, typer.Option(help="What it asks to fill in: a JSON or YAML file, or JSON.")
]

_OF_RUNS = {"terminate": "End at once, without any clean-up."}
_OF_EITHER = {
    "pause": "Start no further task, or not this one, until it is resumed.",
    "resume": "Go on starting tasks, or this one.",
}
_OF_TASKS = {
    "retry": "Run an ended task again, and decide anew about what comes after it.",
    "skip": "Leave a task out: it does not count against those after it.",
}

_VERDICTS = {
    "approve": "Say yes to what an approval task asks.",
    "reject": "Say no to what an approval task asks.",
}


def mount(app: typer.Typer) -> None:
    """Add a command for each order."""
    for action, what in _OF_RUNS.items():
        app.command(action, help=what)(_about_run(action))
    for action, what in _OF_EITHER.items():
        app.command(action, help=what)(_about_either(action))
    for action, what in _OF_TASKS.items():
        app.command(action, help=what)(_about_task(action))
    for action, what in _VERDICTS.items():
        app.command(action, help=what)(_verdict(action))
    for command in (cancel, delegate, change, signal):
        app.command()(command)
    app.command("set-result")(set_result)


def _about_run(action: str) -> Callable[..., None]:
    def command(run: Run, reason: Reason = "", output: Output = Format.TABLE) -> None:
        _give(run, action, reason, output)

    return command


def _about_either(action: str) -> Callable[..., None]:
    def command(
        run: Run, task: _Maybe = None, reason: Reason = "", output: Output = Format.TABLE
    ) -> None:
        _give(run, action, reason, output, task_key=task)

    return command


def _about_task(action: str) -> Callable[..., None]:
    def command(run: Run, task: Task, reason: Reason = "", output: Output = Format.TABLE) -> None:
        _give(run, action, reason, output, task_key=task)

    return command


def _verdict(action: str) -> Callable[..., None]:
    def command(
        run: Run,
        task: Task,
        form: _Form = None,
        reason: Reason = "",
        output: Output = Format.TABLE,
    ) -> None:
        _give(run, action, reason, output, task_key=task, form=_filled(form))

    return command


def cancel(
    run: Run,
    force: Annotated[bool, typer.Option(help="End without waiting for what runs.")] = False,
    reason: Reason = "",
    output: Output = Format.TABLE,
) -> None:
    """Cancel what runs, let it clean up, and end; a second time ends without waiting."""
    _give(run, "cancel", reason, output, force=force or None)


def delegate(
    run: Run,
    task: Task,
    to: Annotated[str, typer.Argument(help="A user's id, or role:NAME.")],
    reason: Reason = "",
    output: Output = Format.TABLE,
) -> None:
    """Pass your word in an approval on to somebody else."""
    _give(run, "delegate", reason, output, task_key=task, to=to)


def set_result(
    run: Run, task: Task, values: _Json, reason: Reason = "", output: Output = Format.TABLE
) -> None:
    """Give a task its values by hand; they must fit its declared outputs."""
    _give(run, "set_result", reason, output, task_key=task, values=_object(values))


def signal(
    run: Run,
    name: Annotated[str, typer.Argument(help="The signal that a task waits for.")],
    payload: Annotated[str, typer.Option(help="What it says, as JSON.")] = "null",
    reason: Reason = "",
    output: Output = Format.TABLE,
) -> None:
    """Give a run a signal that one of its tasks waits for, or will."""
    try:
        said = json.loads(payload)
    except ValueError:
        raise usage(f"{payload!r} is no JSON.") from None
    with profiles.client() as client:
        answer = client.signal(run, name, said, reason=reason)
    if output is Format.JSON:
        as_json(answer)
    else:
        pending = answer["state"] == "pending"
        typer.echo(f"{name}: {'kept; no worker has answered yet' if pending else 'given'}.")


def change(
    run: Run,
    task: _Maybe = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="Of the run: key=value; repeat it.")
    ] = None,
    given: Annotated[
        str | None, typer.Option("--input", help="Of the task: its input, a JSON object.")
    ] = None,
    reason: Reason = "",
    output: Output = Format.TABLE,
) -> None:
    """Change the run's parameters, or one task's input, for tasks that have not begun."""
    if (task is None) == (given is not None) or (task is None) != bool(param):
        raise usage("Give --param for the run, or TASK and --input.")
    if task is not None:
        _give(run, "change", reason, output, task_key=task, input=_object(given or ""))
        return
    with profiles.client() as client:
        job = job_of(client.run_detail(run))
        values = read_parameters(client, job, param or [])
    _give(run, "change", reason, output, parameters=values)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise usage(f"{text!r} is no JSON object.")
    return found


def _filled(form: str | None) -> dict[str, Any] | None:
    """Return what a form was filled in with: given as JSON itself, or in a file."""
    if form is None or form.lstrip().startswith("{"):
        return None if form is None else _object(form)
    import yaml

    try:
        answers = yaml.safe_load(Path(form).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise InvalidInput(f"The form {form} cannot be read: {fault}.") from None
    if not isinstance(answers, dict):
        raise InvalidInput(
            f"The form {form} holds no object.", next_step="Write names and answers, a line each."
        )
    return answers


def _give(run: str, action: str, reason: str, output: Format, **about: Any) -> None:
    with profiles.client() as client:
        answer = client.control(run, action, reason=reason, **about)
    if output is Format.JSON:
        as_json(answer)
    elif answer["state"] == "pending":
        typer.echo(f"{action}: kept; no worker has answered yet.")
    else:
        said = answer["answer"]
        typer.echo(f"{action}: {said.get('state') or said.get('outcome') or answer['state']}")

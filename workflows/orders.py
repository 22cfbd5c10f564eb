"""Orders about tasks at any depth: each workflow obeys those about what it holds itself.

One about an iteration that a loop's own workflow holds is refused with the id of that workflow,
so that whoever gives the order gives it there.
"""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from models.messages import ELSEWHERE, NOT_NOW, ControlCall
    from racine.definitions.schemas import mismatches
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import RacineError
    from workflows.flow import ORDERS, Flow
    from workflows.people import APPROVED, REJECTED, Approval
    from workflows.steps import Level


class Ordered:
    """The Updates about tasks that a run and its loops have in common."""

    _flow: Flow
    _away: bool = False
    """What the run holds is being written for its next history, or read from its last."""

    def _require_open(self, verb: str) -> None:
        raise NotImplementedError

    @property
    def answers(self) -> dict[str, Any]:
        return self._flow.answers

    @workflow.query
    def answered(self, request_id: str) -> dict[str, Any] | None:
        """Tell what was answered to an order, None where it was not obeyed."""
        return self._flow.answers.get(request_id)

    @workflow.update
    def retry(self, call: ControlCall) -> dict[str, Any]:
        """Run an ended task again, and decide anew about what comes after it."""
        self._obey(call, "retry", None)
        return {"state": TaskState.PENDING}

    @retry.validator
    def _may_retry(self, call: ControlCall) -> None:
        level, number = self._settled(call, "retry")
        if number not in level.results and call.task_key not in self._flow.stuck:
            raise refusal(f"Task {call.task_key!r} has not ended.")

    @workflow.update
    def skip(self, call: ControlCall) -> dict[str, Any]:
        """Leave a task out: it does not count against those after it."""
        self._obey(call, "skip", TaskResult(TaskState.EXCLUDED, reason="skipped"))
        return {"state": TaskState.EXCLUDED}

    @skip.validator
    def _may_skip(self, call: ControlCall) -> None:
        self._begun(call, "skip")

    @workflow.update
    def set_result(self, call: ControlCall) -> dict[str, Any]:
        """Give a task its values by hand; they must fit its declared outputs."""
        values = call.arguments.get("values", {})
        self._obey(call, "set_result", TaskResult(TaskState.SUCCEEDED, values))
        return {"state": TaskState.SUCCEEDED}

    @set_result.validator
    def _may_set_result(self, call: ControlCall) -> None:
        level, number = self._begun(call, "set_result")
        step, values = level.plan.steps[number], call.arguments.get("values")
        if not isinstance(values, dict):
            raise refusal("Give the task's values as an object.")
        _require_fit(f"the outputs of {step.key!r}", step.outputs, values)

    @workflow.update
    def hold(self, call: ControlCall) -> dict[str, Any]:
        """Keep a task from beginning until it is released."""
        self._flow.held[call.task_key or ""] = call.reason
        self._log(call, "hold")
        return {"state": "held"}

    @hold.validator
    def _may_hold(self, call: ControlCall) -> None:
        level, number = self._place(call, "pause")
        if call.task_key in self._flow.held:
            raise refusal(f"Task {call.task_key!r} is paused already.")
        if number in level.results or number in level.scheduler.running:
            raise refusal(f"Task {call.task_key!r} has begun: only one that has not is paused.")

    @workflow.update
    def release(self, call: ControlCall) -> dict[str, Any]:
        """Let a task begin that was held."""
        del self._flow.held[call.task_key or ""]
        self._log(call, "release")
        return {"state": TaskState.PENDING}

    @release.validator
    def _may_release(self, call: ControlCall) -> None:
        self._place(call, "resume")
        if call.task_key not in self._flow.held:
            raise refusal(f"Task {call.task_key!r} is not paused.")

    @workflow.update
    def approve(self, call: ControlCall) -> dict[str, Any]:
        return self._said(call, APPROVED)

    @approve.validator
    def _may_approve(self, call: ControlCall) -> None:
        question = self._question(call)
        _require_fit("the form", question.spec.get("form"), call.arguments.get("form", {}))

    @workflow.update
    def reject(self, call: ControlCall) -> dict[str, Any]:
        return self._said(call, REJECTED)

    @reject.validator
    def _may_reject(self, call: ControlCall) -> None:
        self._question(call)

    @workflow.update
    def delegate(self, call: ControlCall) -> dict[str, Any]:
        """Pass one's word in an approval on to somebody else."""
        question = self._question(call)
        question.pass_on(call)
        self._log(call, "delegate", to=call.arguments["to"])
        return {"outcome": None, "to": call.arguments["to"]}

    @delegate.validator
    def _may_delegate(self, call: ControlCall) -> None:
        question = self._question(call)
        if call.arguments.get("to") in (call.actor, *question.spoken):
            raise refusal(f"{call.arguments['to']} has spoken already, or is you.")

    def _said(self, call: ControlCall, verdict: str) -> dict[str, Any]:
        question = self._question(call)
        question.say(call, verdict)
        return {"outcome": question.outcome, "said": len(question.said)}

    def _question(self, call: ControlCall) -> Approval:
        if self._away:
            raise not_now()
        question = self._flow.approvals.get(call.task_key or "")
        if question is None:
            self._require_here(call.task_key or "")
            open_ = ", ".join(self._flow.approvals) or "none"
            raise refusal(f"Task {call.task_key!r} asks for no approval now; open: {open_}.")
        try:
            question.require_right(call)
        except RacineError as fault:
            raise refusal(str(fault)) from fault
        return question

    def _obey(self, call: ControlCall, verb: str, result: TaskResult | None) -> None:
        """Run a step again or settle it by hand, and keep in the log who said so and why."""
        level, number = self._place(call, verb)
        scheduler = level.scheduler
        self._log(call, verb)
        if result is not None and number in scheduler.running:
            scheduler.settle_by_hand(number, result)
            return
        if call.task_key in self._flow.stuck:
            self._flow.stuck[call.task_key].set()
            return
        for place in (number, *scheduler.after(number)):
            self._flow.decided_anew(level.path(level.plan.steps[place]))
        scheduler.redo(number, result)

    def _log(self, call: ControlCall, verb: str, **more: Any) -> None:
        self._flow.orders += 1
        body = {"order": verb, "actor": call.actor, "reason": call.reason, **more}
        self._flow.note(call.task_key or "", "order", body, n=ORDERS + self._flow.orders)
        self._flow.tell_soon()

    def _begun(self, call: ControlCall, verb: str) -> tuple[Level, int]:
        level, number = self._settled(call, verb)
        if number not in level.results and number not in level.scheduler.running:
            raise refusal(f"Task {call.task_key!r} has not begun.")
        return level, number

    def _settled(self, call: ControlCall, verb: str) -> tuple[Level, int]:
        """Return where a task stands after which nothing is running."""
        level, number = self._place(call, verb)
        scheduler, steps = level.scheduler, level.plan.steps
        blocked = [steps[n].key for n in scheduler.after(number) if n in scheduler.running]
        if blocked:
            raise refusal(f"These tasks after it are running: {', '.join(blocked)}.")
        return level, number

    def _place(self, call: ControlCall, verb: str) -> tuple[Level, int]:
        """Return where the task stands that an order is about; refuse what cannot be reached."""
        self._require_open(verb)
        path = call.task_key or ""
        self._require_here(path)
        prefix, dot, key = path.rpartition(".")
        level = self._flow.levels.get(prefix + dot)
        number = _number(level.plan.steps, key) if level else None
        if level is None and self._flow.draining:
            raise not_now()
        if level is None or number is None:
            raise refusal(f"There is no task {path!r} that an order can reach now.")
        return level, number

    def _require_here(self, path: str) -> None:
        """Refuse what another workflow holds, and name that."""
        name = self._flow.holder(path)
        if name is not None:
            message = f"{path!r} is held by the workflow {name}."
            raise ApplicationError(message, name, type=ELSEWHERE, non_retryable=True)


def not_now() -> ApplicationError:
    message = "The run is about to continue: it takes orders again in a moment."
    return ApplicationError(message, type=NOT_NOW, non_retryable=True)


def refusal(message: str) -> ApplicationError:
    return ApplicationError(message, type="conflict", non_retryable=True)


def _number(steps: list[Step], key: str) -> int | None:
    return next((number for number, step in enumerate(steps) if step.key == key), None)


def _require_fit(what: str, schema: dict[str, Any] | None, values: Any) -> None:
    faults = mismatches(schema, values, masked=True) if schema else []
    if faults:
        places = "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults)
        raise refusal(f"The values do not fit {what}: {places}.")

"""Orders about a run as a whole: pause, resume, cancel, change, signal."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import ControlCall
    from racine.engine.plan import Step
    from racine.engine.states import RunState, TaskState
    from workflows.execution import Execution
    from workflows.kinds.waits import unheard
    from workflows.orders import not_now, refusal
    from workflows.steps import Level


class RunOrders(Execution):
    """The Updates that only the workflow of a run takes."""

    @workflow.update
    async def pause(self, call: ControlCall) -> dict[str, Any]:
        """Start no further task until resume; those that run go on to their end."""
        self._show(RunState.PAUSED)
        await self._flow.pause()
        return {"state": RunState.PAUSED}

    @pause.validator
    def _may_pause(self, call: ControlCall) -> None:
        self._require_open("pause")
        if self._flow.paused:
            raise refusal("The run is paused already.")

    @workflow.update
    async def resume(self, call: ControlCall) -> dict[str, Any]:
        """Go on starting tasks."""
        self._show(RunState.RUNNING)
        await self._flow.resume()
        return {"state": RunState.RUNNING}

    @resume.validator
    def _may_resume(self, call: ControlCall) -> None:
        self._require_open("resume")
        if not self._flow.paused:
            raise refusal("The run is not paused.")

    @workflow.update
    def cancel(self, call: ControlCall) -> dict[str, Any]:
        """Cancel what runs, let it clean up, and end; again, or forced, end without waiting."""
        again = self._ends_as is not None
        self._stop(RunState.CANCELLED)
        if again or call.arguments.get("force"):
            self._forced.set_result(None)
        return {"state": RunState.CANCELLED}

    @cancel.validator
    def _may_cancel(self, call: ControlCall) -> None:
        if self._away:
            raise not_now()
        if self._closed or self._forced.done():
            raise refusal("The run is ending: there is nothing to cancel.")

    @workflow.update
    def change(self, call: ControlCall) -> dict[str, Any]:
        """Change the run's parameters, or one task's input, for tasks that have not begun."""
        self._log(call, "change", names=sorted(call.arguments.get("parameters", {})))
        if call.task_key is not None:
            level, number = self._place(call, "change")
            level.plan.steps[number] = self._changed(level, number, call)
            return {"state": TaskState.PENDING}
        given = {**self._given.parameters, **call.arguments["parameters"]}
        self._given = self._given.model_copy(update={"parameters": given})
        self._main.scope = self._main.scope.model_copy(update={"parameters": given})
        return {"state": RunState.RUNNING}

    @change.validator
    def _may_change(self, call: ControlCall) -> None:
        self._require_open("change")
        if call.task_key is None:
            self._require_unread(set(call.arguments["parameters"]))
            return
        level, number = self._place(call, "change")
        if level.has_begun(number):
            raise refusal(f"Task {call.task_key!r} has begun: its input stays as it is.")
        self._changed(level, number, call)

    @workflow.update(name="signal")
    def take_signal(self, call: ControlCall) -> dict[str, Any]:
        """Give a task what it waits for, or will: a signal that nobody has taken is kept."""
        name, payload = call.arguments["name"], call.arguments.get("payload")
        self._flow.signals.setdefault(name, []).append(payload)
        self._log(call, "signal", signal=name)
        return {"signal": name}

    @take_signal.validator
    def _may_signal(self, call: ControlCall) -> None:
        self._require_open("signal")
        if refused := unheard(self._given.plan, call.arguments):
            raise refusal(refused)

    def _require_unread(self, names: set[str]) -> None:
        """Refuse a change of parameters that a task which has begun reads."""
        level = self._main
        readers = [step.key for number, step in enumerate(level.plan.steps)
                   if names & set(step.params) and level.has_begun(number)]  # fmt: skip
        if readers:
            raise refusal(f"These tasks read them and have begun: {', '.join(readers)}.")

    def _changed(self, level: Level, number: int, call: ControlCall) -> Step:
        """Return a step that does what the order says, where the old one stands."""
        old, new = level.plan.steps[number], Step.model_validate(call.arguments["step"])
        if (old.key, old.kind) != (new.key, new.kind):
            raise refusal(f"Task {old.key!r} stays of its kind.")
        known = {step.key: place for place, step in enumerate(level.plan.steps)}
        missing = [key for key in call.arguments["reads"] if key not in known]
        if missing:
            raise refusal(f"It reads tasks that the run does not have: {', '.join(missing)}.")
        reads = [(known[key], fields) for key, fields in call.arguments["reads"].items()]
        kept = {"upstream": old.upstream, "downstream": old.downstream, "reads": sorted(reads)}
        return new.model_copy(update=kept)

"""Repairs of a run that goes on: what they would do, and what the run goes on with."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import ControlCall, JobInput, KeptAnswer, RepairOrder
    from racine.engine.kept import Kept
    from racine.engine.repair import outlook
    from racine.errors import Conflict, RacineError
    from workflows.execution import Execution
    from workflows.flow import SIGNALS, stands_in
    from workflows.memory import half_done
    from workflows.orders import refusal

_TOLD = 1000
"""Tasks that a repair names."""


class Mending(Execution):
    """Runs again what failed or was chosen, in the same run."""

    @workflow.update
    def repair(self, call: ControlCall) -> dict[str, Any]:
        """Run again what failed or was chosen, once what runs now has ended; keep the rest."""
        self._log(call, "repair")
        order = RepairOrder.model_validate(call.arguments)
        told = self._outlook(order)
        self._repair = order
        self._flow.drain()
        return told

    @repair.validator
    def _may_repair(self, call: ControlCall) -> None:
        self._require_open("repair")
        if self._level is not self._main:
            raise refusal("The run's own tasks have ended: repair it after its end.")
        try:
            self._outlook(RepairOrder.model_validate(call.arguments))
        except RacineError as fault:
            faults = "; ".join(found.message for found in fault.faults)
            raise refusal(f"{fault.message} {faults}".strip()) from fault

    @workflow.query
    def outlook(self, order: RepairOrder) -> dict[str, Any]:
        """Tell what a repair would do now."""
        return self._outlook(order)

    def _outlook(self, order: RepairOrder) -> dict[str, Any]:
        plan = order.plan or self._given.plan
        level, kinds = self._main, {step.key: step.kind for step in plan.steps}
        for number in level.scheduler.running:
            step = level.plan.steps[number]
            if kinds.get(step.key) != step.kind:
                raise Conflict(f"Task {step.key!r} runs, and is not in that version as it is.")
        found = outlook(plan, self._all_kept(), order.tasks, dependents=order.dependents)
        asked = {path for path in found.anew if path in self._flow.approvals}
        again = [vars(task) for task in found.again
                 if task.was or "[" in task.path or task.path in asked]  # fmt: skip
        if not again:
            raise Conflict("Nothing failed.", next_step="Name the tasks that shall run again.")
        return {
            "again": again[:_TOLD],
            "kept": [vars(task) for task in found.stays][:_TOLD],
        }

    def _all_kept(self) -> Kept:
        """Return how all tasks ended that have, at every level."""
        kept = self._flow.memory.kept() if self._flow.memory else Kept()
        kept.trails = self._flow.trails
        for prefix, level in self._flow.levels.items():
            for number, result in level.results.items():
                kept.results[prefix + level.plan.steps[number].key] = result
        for number, result in self._main.results.items():
            kept.results[self._main.plan.steps[number].key] = result
        for place, left in self._flow.left.items():
            prefix = place.removeprefix("|")
            kept.results.update({prefix + key: r for key, r in left.results.items() if prefix})
        return kept

    def _mended(self, carry: JobInput) -> JobInput:
        """Return what the run goes on with after a repair."""
        order, carried = self._repair, carry.carried
        assert order is not None
        assert carried is not None
        plan = order.plan or carry.plan
        found = outlook(plan, self._all_kept(), order.tasks, dependents=order.dependents)
        paths = [task.path for task in found.again]
        entered = tuple(
            loop for loop in map("{}[".format, found.left.loops)
            if any(path.startswith(loop) for path in paths)
        )  # fmt: skip
        left = {place: held for place, held in carried.left.items()
                if not (place.endswith(":course") and place.startswith(entered))
                and not any(stands_in(place, path) for path in found.anew)}  # fmt: skip
        inside = {path: result for path, result in found.left.results.items() if "." in path}
        kept = found.left.model_copy(update={"results": inside, "tries": self._flow.highest_try})
        levels = {place for place in left if place.startswith("|") and place != SIGNALS}
        state = carried.model_copy(
            update={
                "results": {p: r for p, r in found.left.results.items() if "." not in p},
                "left": {p: h for p, h in left.items() if p not in levels} | half_done(kept),
                "tries": {},
                "rounds": {},
                "trails": kept.trails,
            }
        )
        given = {**carry.parameters, **order.parameters}
        more = {"plan": plan, "carried": state, "kept": kept, "parameters": given}
        return carry.model_copy(update=more)

    @workflow.query
    def kept(self) -> KeptAnswer:
        """Tell what a repair would keep: of runs that could not write it down themselves."""
        return KeptAnswer(kept=self._kept())

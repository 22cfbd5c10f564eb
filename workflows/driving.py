"""Runs a level of a run to its end, or as far as its history goes."""

import asyncio
from dataclasses import asdict

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Carried, JobInput
    from racine.engine.states import RunState
    from workflows.carrying import fetched, is_much, put_away
    from workflows.memory import parts
    from workflows.mending import Mending
    from workflows.people import Approval
    from workflows.steps import Level
    from workflows.waiting import settled


class Driving(Mending):
    """Drives levels, and continues as new with all that is half done."""

    async def _drive(self, level: Level) -> None:
        """Run a level until it ends, is stopped, runs out of time or must continue as new."""
        self._level = level
        work = asyncio.create_task(level.run())
        seconds = self._seconds_left() if level is self._main else None
        if not await settled(work, seconds, self._on_cancel, self._forced):
            if not self._forced.done():
                self._stop(RunState.TIMED_OUT)
            await settled(work, None, self._on_cancel, self._forced)
        if not work.done():
            level.scheduler.abandon()
            return
        await work
        if self._repair is not None or not level.scheduler.complete:
            await self._continue(level)

    async def _continue(self, level: Level) -> None:
        """Continue as new, unless the run is told to end before all is written down."""
        flow = self._flow
        asked = flow.asking()
        for part in parts(self._kept()) if self._given.keeps else ():
            await self._write(part)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._ends_as is not None and self._level is self._main and level is self._main:
            flow.approvals.clear()
            level.scheduler.abandon()
            return
        if self._watch is not None:
            await self._watch.close()
        carried = self._carry(asked)
        given = self._mended(carried) if self._repair else carried
        # What is told from here on is for the next history.
        self._away = True
        if is_much(given):
            given = await put_away(given, given.context)
        workflow.continue_as_new(given)

    async def _fetch(self, given: JobInput) -> JobInput:
        """Read what is carried from blobs, and go on with it."""
        given = await fetched(given, given.context)
        leases = self._flow.leases
        self._take_up(given)
        self._flow.leases.update(leases)
        self._away = False
        if given.cancelled:
            self._on_cancel()
        return given

    def _seconds_left(self) -> float | None:
        limit = self._given.plan.timeout_seconds
        if limit is None:
            return None
        return max(0.0, limit - (workflow.now() - self._began_at).total_seconds())

    def _carry(self, asked: dict[str, Approval]) -> JobInput:
        left = self._flow.leaving()
        for place, question in asked.items():
            left[place].state["question"] = asdict(question)
        carried = Carried(
            started_at=self._started_at,
            results=self._main.still_read(),
            paused=self._flow.paused,
            transitions=self._flow.take(),
            tries=self._flow.begun_again(),
            left=left,
            ends_as=self._ends_as,
            rounds=self._flow.rounds,
            orders=self._flow.orders,
            answers=self._flow.answers,
            held=self._flow.held,
            parts=self._parts,
            began_at=self._began_at,
            breaches=self._watch.told if self._watch else [],
            trails=self._flow.trails,
            undone=self._flow.undone,
        )
        memory = self._flow.memory
        kept = memory.kept() if memory else None
        if kept is not None:
            kept.tries = self._flow.first_try
        return self._given.model_copy(update={"carried": carried, "kept": kept})

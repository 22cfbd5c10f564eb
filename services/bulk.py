"""One order to many runs: to all that fit, page by page, to each as if it were given alone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy.orm import Session
from temporalio.client import Client

from models.session import Database
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import InvalidInput, RacineError, Unavailable
from services import access, controls, executions
from services.access import Actor
from services.controls import Action, RunControl
from services.executions import Launch, Page, Run, Which

_OPEN = tuple(state for state in RunState if state not in FINAL_RUN_STATES)
MEANT: dict[Action, tuple[RunState, ...]] = {
    Action.PAUSE: (RunState.RUNNING,),
    Action.RESUME: (RunState.PAUSED,),
    Action.CANCEL: _OPEN,
    Action.TERMINATE: _OPEN,
    Action.REPAIR: (RunState.FAILED, RunState.TIMED_OUT),
}
"""What many runs can be told, and which are meant where nobody says in which state."""

_AT_ONCE = 20
_SECONDS = 15.0
"""For a page: what no run has answered by then, the reconciler gives it."""


@dataclass(frozen=True)
class Outcome:
    """What became of the order to one run."""

    state: str
    message: str = ""


def chosen(
    session: Session, actor: Actor, action: Action, which: Which, *, limit: int, cursor: str | None
) -> tuple[Page[Run], int]:
    """Return a page of the runs that an order would reach, newest first, and how many there are.

    Raises InvalidInput for what can be ordered of single runs alone.
    """
    access.require(session, actor, "workflows:run")
    if action not in MEANT:
        raise InvalidInput(
            f"Only a single run can be told to {action}.",
            next_step=f"Many can be told to {', '.join(MEANT)}.",
        )
    which = which if which.states else replace(which, states=MEANT[action])
    page = executions.listed(session, actor, which, limit=limit, cursor=cursor)
    return page, executions.count(session, actor, which)


async def deliver(
    db: Database, client: Client, orders: Sequence[RunControl]
) -> Mapping[str, Outcome]:
    """Give recorded orders to their runs; return by run what was answered in time."""

    async def give(order: RunControl) -> Outcome:
        return Outcome((await controls.deliver(db, client, order)).state)

    return await _in_time({order.run_id: partial(give, order) for order in orders})


async def start(client: Client, launches: Sequence[Launch]) -> Mapping[str, Outcome]:
    """Start recorded repairs; return by run those that Temporal has taken in time."""

    async def begin(launch: Launch) -> Outcome:
        await executions.start(client, launch)
        return Outcome(RunState.RUNNING)

    return await _in_time({launch.run_id: partial(begin, launch) for launch in launches})


async def _in_time(work: Mapping[str, Callable[[], Awaitable[Outcome]]]) -> Mapping[str, Outcome]:
    gate, found = asyncio.Semaphore(_AT_ONCE), dict[str, Outcome]()

    async def do(run_id: str, act: Callable[[], Awaitable[Outcome]]) -> None:
        async with gate:
            try:
                found[run_id] = await act()
            except Unavailable:
                return
            except RacineError as refusal:
                found[run_id] = Outcome(controls.REFUSED, refusal.message)

    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS), asyncio.TaskGroup() as group:
            for run_id, act in work.items():
                group.create_task(do(run_id, act))
    return found

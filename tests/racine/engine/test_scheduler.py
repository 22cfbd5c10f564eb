"""The scheduler under plain asyncio, over random graphs and under every control."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racine.definitions.document import RunIf
from racine.definitions.validation import validate
from racine.engine.plan import Plan, Step, compile_plan
from racine.engine.policies import joined, may_run, verdict
from racine.engine.scheduler import Scheduler
from racine.engine.states import RunState, TaskResult, TaskState

GOOD = TaskResult(TaskState.SUCCEEDED, {})
BAD = TaskResult(TaskState.FAILED)


def plan_of(*tasks: dict[str, Any]) -> Plan:
    return compile_plan(validate({"name": "j", "tasks": list(tasks)}))


def noop(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {"task_key": key, "noop_task": {}, "depends_on": edges, **more}


@dataclass
class World:
    """Executes steps and remembers in which order what happened."""

    plan: Plan
    outcome: Callable[[Step], TaskResult] = lambda step: GOOD
    turns: dict[str, int] = field(default_factory=dict)
    """Turns of the event loop that a step takes."""
    happened: list[tuple[str, str]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def execute(self, number: int, step: Step) -> TaskResult:
        self.happened.append(("start", step.key))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(self.turns.get(step.key, 1)):
                await asyncio.sleep(0)
        finally:
            self.running -= 1
        self.happened.append(("end", step.key))
        return self.outcome(step)

    def observe(self, number: int, result: TaskResult) -> None:
        self.happened.append((result.state.value, self.plan.steps[number].key))

    def scheduler(self, **more: Any) -> Scheduler:
        return Scheduler(self.plan, self.execute, self.observe, **more)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Plan, dict[str, bool], dict[str, int]]:
    """A random graph with every run_if, which tasks fail, and how long each takes."""
    count = draw(st.integers(1, 14))
    tasks = []
    for n in range(count):
        upstream = draw(st.sets(st.integers(0, n - 1), max_size=4)) if n else set()
        run_if = draw(st.sampled_from(list(RunIf)))
        more: dict[str, Any] = {"run_if": run_if, "disabled": draw(st.integers(0, 9)) == 0}
        joins = draw(st.booleans())
        if upstream and joins:
            more |= {"join": "n_of", "join_count": draw(st.integers(1, len(upstream)))}
        tasks.append(noop(f"t{n}", *[f"t{u}" for u in sorted(upstream)], **more))
    fails = {f"t{n}": draw(st.booleans()) for n in range(count)}
    turns = {f"t{n}": draw(st.integers(0, 5)) for n in range(count)}
    return plan_of(*tasks), fails, turns


@settings(max_examples=150)
@given(graphs(), st.integers(1, 5))
def test_every_graph_runs_by_its_rules(
    graph: tuple[Plan, dict[str, bool], dict[str, int]], cap: int
) -> None:
    plan, fails, turns = graph
    world = World(plan, lambda step: BAD if fails[step.key] else GOOD, turns)
    scheduler = world.scheduler(cap=cap)
    asyncio.run(scheduler.run())
    assert scheduler.complete
    assert world.most <= cap
    started = [key for what, key in world.happened if what == "start"]
    assert len(started) == len(set(started))
    for number, step in enumerate(plan.steps):
        upstream = [(scheduler.results[up], outcome) for up, outcome in step.upstream]
        refused = may_run(step, upstream)
        assert (step.key in started) == (refused is None)
        if refused:
            assert scheduler.results[number] == refused
            continue
        begun = world.happened.index(("start", step.key))
        before = {key for what, key in world.happened[:begun] if what != "start"}
        known = [(r if plan.steps[up].key in before else None, o)
                 for (up, _), (r, o) in zip(step.upstream, upstream, strict=True)]  # fmt: skip
        assert step.needs or all(result is not None for result, _ in known)
        assert may_run(step, known) is None


@settings(max_examples=50)
@given(graphs())
def test_the_same_graph_runs_in_the_same_order(
    graph: tuple[Plan, dict[str, bool], dict[str, int]],
) -> None:
    plan, fails, turns = graph
    worlds = [World(plan, lambda step: BAD if fails[step.key] else GOOD, turns) for _ in "ab"]
    for world in worlds:
        asyncio.run(world.scheduler(cap=3).run())
    assert worlds[0].happened == worlds[1].happened


@settings(max_examples=100)
@given(graphs(), st.integers(0, 12))
def test_pause_starts_nothing_and_resume_finishes(
    graph: tuple[Plan, dict[str, bool], dict[str, int]], after: int
) -> None:
    plan, fails, turns = graph
    world = World(plan, lambda step: BAD if fails[step.key] else GOOD, turns)
    scheduler = world.scheduler(cap=2)

    async def play() -> None:
        drive = asyncio.create_task(scheduler.run())
        for _ in range(after):
            await asyncio.sleep(0)
        scheduler.pause()
        begun = [e for e in world.happened if e[0] == "start"]
        # A task made before the pause may begin; nothing is made after it.
        allowed = len(begun) + len(scheduler.running) - world.running
        for _ in range(100):
            await asyncio.sleep(0)
        assert len([e for e in world.happened if e[0] == "start"]) <= allowed
        scheduler.resume()
        await drive

    asyncio.run(play())
    assert scheduler.complete


@settings(max_examples=100)
@given(graphs(), st.integers(0, 12))
def test_stop_ends_every_task_once(
    graph: tuple[Plan, dict[str, bool], dict[str, int]], after: int
) -> None:
    plan, fails, turns = graph
    world = World(plan, lambda step: BAD if fails[step.key] else GOOD, turns)
    scheduler = world.scheduler(cap=2)

    async def play() -> None:
        drive = asyncio.create_task(scheduler.run())
        for _ in range(after):
            await asyncio.sleep(0)
        scheduler.stop()
        await drive

    asyncio.run(play())
    assert scheduler.complete
    assert not scheduler.running
    ends = [key for what, key in world.happened if what not in ("start", "skipped", "excluded")]
    assert len(ends) == len(set(ends))


@settings(max_examples=100)
@given(graphs(), st.integers(0, 12))
def test_a_drained_run_goes_on_where_it_stopped(
    graph: tuple[Plan, dict[str, bool], dict[str, int]], after: int
) -> None:
    plan, fails, turns = graph

    def fresh() -> World:
        return World(plan, lambda step: BAD if fails[step.key] else GOOD, turns)

    async def play() -> dict[int, TaskResult]:
        first = fresh().scheduler(cap=2)
        drive = asyncio.create_task(first.run())
        for _ in range(after):
            await asyncio.sleep(0)
        first.drain()
        await drive
        assert not first.running
        second = fresh().scheduler(cap=2, results=dict(first.results))
        await second.run()
        assert second.complete
        return second.results

    whole = fresh().scheduler()
    asyncio.run(whole.run())
    assert asyncio.run(play()) == whole.results


def test_an_error_of_the_executor_aborts_the_run() -> None:
    async def broken(number: int, step: Step) -> TaskResult:
        raise KeyError(step.key)

    plan = plan_of(noop("a"))
    with pytest.raises(KeyError):
        asyncio.run(Scheduler(plan, broken, lambda n, r: None).run())


S, F, K, X = TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SKIPPED, TaskState.EXCLUDED


@pytest.mark.parametrize(
    ("run_if", "upstream", "runs"),
    [
        (RunIf.ALL_SUCCESS, [S, S], True),
        (RunIf.ALL_SUCCESS, [S, F], False),
        (RunIf.ALL_SUCCESS, [S, X], True),
        (RunIf.ALL_SUCCESS, [S, K], False),
        (RunIf.AT_LEAST_ONE_SUCCESS, [S, F], True),
        (RunIf.AT_LEAST_ONE_SUCCESS, [F, F], False),
        (RunIf.NONE_FAILED, [S, K], True),
        (RunIf.NONE_FAILED, [S, F], False),
        (RunIf.NONE_FAILED, [K, K], False),
        (RunIf.ALL_DONE, [F, K], True),
        (RunIf.ALL_DONE, [X, X], True),
        (RunIf.AT_LEAST_ONE_FAILED, [S, F], True),
        (RunIf.AT_LEAST_ONE_FAILED, [S, S], False),
        (RunIf.ALL_FAILED, [F, F], True),
        (RunIf.ALL_FAILED, [F, S], False),
        (RunIf.ALL_SUCCESS, [X, X], False),
    ],
)
def test_run_if(run_if: RunIf, upstream: list[TaskState], runs: bool) -> None:
    plan = plan_of(noop("a"), noop("b"), noop("c", "a", "b", run_if=run_if))
    pairs: list[tuple[TaskResult, str | None]] = [(TaskResult(s), None) for s in upstream]
    assert (may_run(plan.steps[2], pairs) is None) == runs


def test_a_handled_failure_is_no_failure_of_the_run() -> None:
    plan = plan_of(noop("a"), noop("undo", "a", run_if="AT_LEAST_ONE_FAILED"))
    world = World(plan, lambda step: BAD if step.key == "a" else GOOD)
    scheduler = world.scheduler()
    asyncio.run(scheduler.run())
    assert verdict(plan.steps, scheduler.results) is RunState.COMPLETED


def test_a_failure_that_skipped_the_rest_fails_the_run() -> None:
    plan = plan_of(noop("a"), noop("b", "a"), noop("c", "b"))
    scheduler = World(plan, lambda step: BAD if step.key == "a" else GOOD).scheduler()
    asyncio.run(scheduler.run())
    assert verdict(plan.steps, scheduler.results) is RunState.FAILED


JOINS = [
    # run_if, join_count, how those ended that have: whether the task starts
    (RunIf.ALL_SUCCESS, 1, [S], True),
    (RunIf.ALL_SUCCESS, 1, [F], False),
    (RunIf.ALL_SUCCESS, 2, [S, F], False),
    (RunIf.ALL_SUCCESS, 2, [S, F, S], True),
    (RunIf.AT_LEAST_ONE_SUCCESS, 1, [S], True),
    (RunIf.AT_LEAST_ONE_SUCCESS, 2, [S], False),
    (RunIf.AT_LEAST_ONE_SUCCESS, 2, [S, F], True),
    (RunIf.AT_LEAST_ONE_SUCCESS, 2, [F, F], False),
    (RunIf.NONE_FAILED, 1, [S], True),
    (RunIf.NONE_FAILED, 1, [F], False),
    (RunIf.NONE_FAILED, 2, [S, K], True),
    (RunIf.NONE_FAILED, 2, [S, F], False),
    (RunIf.NONE_FAILED, 1, [K], False),
    (RunIf.ALL_DONE, 1, [F], True),
    (RunIf.ALL_DONE, 1, [X], True),
    (RunIf.ALL_DONE, 2, [X], False),
    (RunIf.AT_LEAST_ONE_FAILED, 1, [F], True),
    (RunIf.AT_LEAST_ONE_FAILED, 1, [S], False),
    (RunIf.AT_LEAST_ONE_FAILED, 2, [S, F], True),
    (RunIf.AT_LEAST_ONE_FAILED, 2, [F], False),
    (RunIf.ALL_FAILED, 1, [S, F], True),
    (RunIf.ALL_FAILED, 2, [S, F], False),
    (RunIf.ALL_FAILED, 2, [S, F, F], True),
    (RunIf.ALL_SUCCESS, 1, [X], False),
]


@pytest.mark.parametrize(("run_if", "count", "ended", "starts"), JOINS)
def test_join(run_if: RunIf, count: int, ended: list[TaskState], starts: bool) -> None:
    tasks = [noop(key) for key in "abcd"]
    plan = plan_of(*tasks, noop("z", *"abcd", run_if=run_if, join="n_of", join_count=count))
    rest: list[TaskResult | None] = [None] * (4 - len(ended))
    pairs = [(result, None) for result in [*map(TaskResult, ended), *rest]]
    assert joined(plan.steps[4], pairs) == starts


def test_an_any_join_starts_with_the_first_and_the_late_ones_do_not_start_it_twice() -> None:
    join = noop("z", "quick", "slow", join="any")
    world = World(plan_of(noop("quick"), noop("slow"), join), turns={"slow": 20})
    scheduler = world.scheduler()
    asyncio.run(scheduler.run())
    assert world.happened.index(("end", "z")) < world.happened.index(("end", "slow"))
    assert [key for what, key in world.happened if what == "start"].count("z") == 1
    assert scheduler.complete


def test_a_join_that_nothing_can_meet_is_skipped_when_all_have_ended() -> None:
    plan = plan_of(noop("a"), noop("b"), noop("z", "a", "b", join="any"))
    scheduler = World(plan, lambda step: BAD).scheduler()
    asyncio.run(scheduler.run())
    assert scheduler.results[2] == TaskResult(TaskState.SKIPPED, reason="run_if")
    assert verdict(plan.steps, scheduler.results) is RunState.FAILED


def test_redoing_a_late_upstream_leaves_a_join_that_stands_without_it() -> None:
    plan = plan_of(noop("a"), noop("b"), noop("z", "a", "b", join="any"), noop("end", "z"))
    world = World(plan, lambda step: BAD if step.key == "b" else GOOD)
    scheduler = world.scheduler(hold=True)

    async def play() -> None:
        work = asyncio.create_task(scheduler.run())
        for _ in range(20):
            await asyncio.sleep(0)
        assert scheduler.complete
        world.outcome = lambda step: GOOD
        scheduler.redo(1)
        await work

    asyncio.run(play())
    started = [key for what, key in world.happened if what == "start"]
    assert sorted(started) == ["a", "b", "b", "end", "z"]
    assert scheduler.results[1] == GOOD


def test_fail_fast_cancels_what_runs_and_skips_the_rest() -> None:
    plan = plan_of(noop("bad"), noop("long"), noop("next", "long"), noop("after", "bad"))
    world = World(plan, lambda step: BAD if step.key == "bad" else GOOD, {"long": 50})
    scheduler = world.scheduler(fail_fast=True)
    asyncio.run(scheduler.run())
    by_key = {step.key: scheduler.results[n] for n, step in enumerate(plan.steps)}
    assert by_key["bad"] == BAD
    assert by_key["long"].state is TaskState.CANCELLED
    skipped = TaskResult(TaskState.SKIPPED, reason="fail_fast")
    assert by_key["next"] == by_key["after"] == skipped
    assert verdict(plan.steps, scheduler.results) is RunState.FAILED


def test_a_step_that_gives_nothing_is_taken_up_again_after_the_drain() -> None:
    plan = plan_of(noop("wait"), noop("z", "wait"))
    results: list[TaskResult | None] = [None, GOOD, GOOD]

    async def execute(number: int, step: Step) -> TaskResult | None:
        first.drain()
        return results.pop(0)

    first = Scheduler(plan, execute, lambda number, result: None)
    asyncio.run(first.run())
    assert not first.complete
    second = Scheduler(plan, execute, lambda number, result: None, results=first.results)
    asyncio.run(second.run())
    assert second.complete

"""What a workflow remembers of its loops and hands over for repairs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import INLINE_LIMIT, Left, LoopInput
    from racine.engine.kept import Kept, LoopKept, numbers, stretches
    from racine.engine.plan import Plan
    from racine.engine.states import UNDONE, TaskResult, TaskState

_TOLD = 500
"""Failed iterations, or tasks in them, that one workflow tells another of."""


@dataclass
class LoopMemory:
    """One loop: its items, which of its iterations have succeeded."""

    count: int
    items: dict[str, Any]
    done: set[int] = field(default_factory=set)

    def within(self, start: int, count: int) -> list[int]:
        """Return which of so many iterations have succeeded."""
        return [number for number in range(start, start + count) if number in self.done]


class Memory:
    """The loops of one workflow by path, and what iterations came to that did not succeed."""

    def __init__(self, kept: Kept | None) -> None:
        self.loops: dict[str, LoopMemory] = {}
        self._failed: dict[str, dict[str, TaskResult]] = {}
        """By prefix, as `per_table[3].`."""
        for path, loop in (kept.loops if kept else {}).items():
            self.loops[path] = LoopMemory(loop.count, loop.items, set(numbers(loop.done)))
        for prefix, results in _by_prefix(kept):
            if prefix:
                self._failed[prefix] = results

    def loop(self, path: str, count: int, items: dict[str, Any]) -> LoopMemory:
        """Return what is known of a loop, now that its items are."""
        found = self.loops.get(path)
        if found is None or found.count != count:
            found = LoopMemory(count, items)
        found.items = items
        self.loops[path] = found
        return found

    def forget(self, path: str) -> None:
        """Know nothing any more of a task's, or an iteration's, inside."""
        inside = (f"{path}[", f"{path}.")
        self.loops = {p: k for p, k in self.loops.items() if p != path and not p.startswith(inside)}
        self._failed = {p: r for p, r in self._failed.items() if not p.startswith(inside)}

    def ended(
        self, prefix: str, number: int, body: Plan, results: dict[int, TaskResult] | None
    ) -> None:
        """Remember how an iteration ended; of one that succeeded, that alone."""
        inner = f"{prefix}[{number}]."
        if results is None:
            self.loops[prefix].done.add(number)
            if self._failed or len(self.loops) > 1:
                self.forget(inner[:-1])
            return
        keyed = {body.steps[place].key: result for place, result in results.items()}
        self._failed[inner] = keyed

    def undone(self, prefix: str, key: str, result: TaskResult) -> None:
        """Remember that a task in an iteration, as `per_table[3].clean`, was undone.

        The iteration has not succeeded any more, and neither have those around it.
        """
        keys = [*prefix.split(".")[:-1], key]
        for depth, part in enumerate(keys[:-1]):
            loop, _, number = part[:-1].partition("[")
            path = ".".join([*keys[:depth], loop])
            if path in self.loops and int(number) in self.loops[path].done:
                self.loops[path].done.discard(int(number))
                return
            inner = ".".join(keys[: depth + 1]) + "."
            known, next_key = self._failed.setdefault(inner, {}), keys[depth + 1].partition("[")[0]
            was = known.get(next_key, result)
            if was.state is TaskState.SUCCEEDED:
                known[next_key] = TaskResult(TaskState.CANCELLED, reason=UNDONE)

    def kept(self, inside: tuple[str, ...] = ("",)) -> Kept:
        """Return all of it, or what stands inside some iterations."""
        made = Kept()
        for path, loop in self.loops.items():
            if path.startswith(inside):
                made.loops[path] = LoopKept(
                    count=loop.count, items=loop.items, done=stretches(loop.done)
                )
        for prefix, results in self._failed.items():
            if prefix.startswith(inside):
                made.results.update({prefix + key: result for key, result in results.items()})
        return made

    def little(self, given: LoopInput) -> Kept | None:
        """Return what is known of a stretch's failed iterations, if it is little enough to tell."""
        kept = self.kept()
        kept.loops.pop(given.scope.prefix, None)
        if not kept.results or len(kept.results) > _TOLD:
            return None
        small = len(kept.model_dump_json(exclude_defaults=True)) <= INLINE_LIMIT
        return kept if small else None

    def hear(self, kept: Kept | None) -> None:
        """Take over what the workflow of a stretch tells, up to a limit: the rest runs anew."""
        if kept is None or len(self._failed) > _TOLD:
            return
        self._failed.update(_by_prefix(kept))
        for path, loop in kept.loops.items():
            self.loops[path] = LoopMemory(loop.count, loop.items, set(numbers(loop.done)))

    def of_stretch(self, path: str, start: int, count: int) -> Kept | None:
        """Return what is known of a stretch of a loop's iterations, None where that is nothing."""
        loop = self.loops[path]
        done = loop.within(start, count)
        made = self.kept(tuple(f"{path}[{number}]." for number in range(start, start + count)))
        if not (done or made.results or made.loops):
            return None
        made.loops[path] = LoopKept(count=loop.count, items={}, done=stretches(done))
        return made


def half_done(kept: Kept | None) -> dict[str, Left]:
    """Return what was kept as levels recall it: by their place."""
    return {f"|{prefix}": Left(results=results) for prefix, results in _by_prefix(kept)}


def parts(kept: Kept) -> Iterator[Kept]:
    """Cut what is kept into parts that each may travel."""
    many = len(kept.results)
    if many < 2 or len(kept.model_dump_json(exclude_defaults=True)) <= 4 * INLINE_LIMIT:
        yield kept
        return
    paths = sorted(kept.results)
    for half in (paths[: many // 2], paths[many // 2 :]):
        results = {path: kept.results[path] for path in half}
        yield from parts(kept.model_copy(update={"results": results}))
        kept = kept.model_copy(update={"loops": {}})


def _by_prefix(kept: Kept | None) -> Iterator[tuple[str, dict[str, TaskResult]]]:
    found: dict[str, dict[str, TaskResult]] = {}
    for path, result in (kept.results if kept else {}).items():
        prefix, dot, key = path.rpartition(".")
        found.setdefault(prefix + dot, {})[key] = result
    yield from found.items()

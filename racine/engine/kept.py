"""What a run leaves behind, so that a repair need not do it again: results by path, and loops."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, Field

from racine.engine.states import TaskResult

Stretch = tuple[int, int]
"""Numbers from the first up to, and without, the second."""


class LoopKept(BaseModel):
    """One loop: the items that it walks over, and which of its iterations have succeeded."""

    count: int
    items: dict[str, Any]
    """The items as they were found, inline or by reference: they are not looked for again."""
    done: list[Stretch] = Field(default_factory=list)


class Passed(BaseModel):
    """What one iteration of a loop has done that can be undone, and what undoing it reads."""

    number: int
    results: dict[str, TaskResult]
    """In the order in which its tasks ended."""
    tasks: dict[str, Any] = Field(default_factory=dict)
    """Tasks of the levels around, as expressions see them."""
    loop: dict[str, Any] = Field(default_factory=dict)
    inner: dict[str, "Trail"] = Field(default_factory=dict)
    """Loops inside it, by key."""


class Trace(BaseModel):
    """One iteration, or `count` of them in a blob."""

    passed: Passed | None = None
    ref: str | None = None
    count: int = 1


class Trail(BaseModel):
    """What the iterations of a loop leave that can be undone, in the order in which they ended."""

    traces: list[Trace] = Field(default_factory=list)
    undone: list[int] = Field(default_factory=list)
    """Undone already: what they did in an earlier execution is not undone too."""
    touched: bool = False
    """Whether any of their tasks was undone."""

    def weight(self) -> int:
        """Return the bytes of JSON of what is not in blobs."""
        return sum(len(t.passed.model_dump_json()) for t in self.traces if t.passed)


class Kept(BaseModel):
    """How the tasks of a run ended, by path: `clean`, `per_table[3].clean`.

    Of iterations only those are in it that did not succeed: the others count as a whole, by their
    loop's `done`.
    """

    results: dict[str, TaskResult] = Field(default_factory=dict)
    loops: dict[str, LoopKept] = Field(default_factory=dict)
    trails: dict[str, Trail] = Field(default_factory=dict)
    """What can be undone of loops of the job itself, by key."""
    tries: int = 0
    """The highest try of any task: a later execution counts on from there."""
    started_at: str | None = None
    """When the run first began, ISO 8601: it stays the time that its expressions see."""

    def add(self, later: "Kept") -> None:
        """Take over what a later part of the same execution says."""
        self.results.update(later.results)
        for path, loop in later.loops.items():
            before = self.loops.get(path)
            if before is not None and not loop.items:
                # A stretch of the loop, told by the workflow that ran it.
                done = stretches([*numbers(before.done), *numbers(loop.done)])
                self.loops[path] = before.model_copy(update={"done": done})
            else:
                self.loops[path] = loop
        self.trails.update(later.trails)
        self.tries = max(self.tries, later.tries)
        self.started_at = self.started_at or later.started_at


def numbers(done: Iterable[Stretch]) -> list[int]:
    return [number for first, end in done for number in range(first, end)]


def stretches(found: Iterable[int]) -> list[Stretch]:
    """Return numbers as few stretches as will do, in order."""
    made: list[Stretch] = []
    for number in sorted(set(found)):
        if made and made[-1][1] == number:
            made[-1] = (made[-1][0], number + 1)
        else:
            made.append((number, number + 1))
    return made


def within(done: Sequence[Stretch], start: int, count: int) -> list[Stretch]:
    """Return the part of the stretches that lies among `count` numbers from `start` on."""
    end = start + count
    return [(max(a, start), min(b, end)) for a, b in done if a < end and b > start]

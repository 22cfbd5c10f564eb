"""The tasks of a document, flattened with their place, and the edges between those of one level."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from racine.definitions.document import JobDocument, Task


@dataclass(frozen=True)
class Placed:
    """A task and the JSON pointer of it."""

    task: Task
    pointer: str

    @property
    def key(self) -> str:
        return self.task.task_key

    @property
    def kind(self) -> str | None:
        """The one kind that is set; None when none or several are."""
        kinds = self.task.kinds
        return kinds[0] if len(kinds) == 1 else None


@dataclass
class Scope:
    """One level of tasks: the document's own, or the body of a loop."""

    tasks: Sequence[Placed]
    keys: Mapping[str, Placed]
    """By key; of tasks with one key, the first."""
    broken: frozenset[str] = frozenset()
    """Keys of tasks that did not parse: known, but nothing more can be said about them."""
    ancestors: dict[str, int] = field(default_factory=dict)
    """Bit set of the places of all tasks upstream of each, once the graph is known to be sound."""
    places: dict[str, int] = field(default_factory=dict)
    outer: "Scope | None" = None
    """The level around a loop's body."""
    owner: str | None = None
    """Key of the loop whose body it is."""
    undoes: bool = False
    """Its tasks undo their owner, and so may read it."""
    variables: tuple[str, ...] = ()
    """Names that mean something here beside the usual."""
    taken: dict[str, str] = field(default_factory=dict)
    """Pointer of every key of the whole document: no two levels share one."""

    @property
    def comes_after(self) -> bool:
        """Whether its tasks run after the job's own: at its end, or to undo others."""
        if self.outer is None:
            return False
        return self.undoes or self.owner is None or self.outer.comes_after

    def edges(self) -> Iterator[tuple[str, str]]:
        for placed in self.tasks:
            key = placed.key
            for dependency in placed.task.depends_on:
                upstream = dependency.task_key
                if upstream in self.keys and upstream != key:
                    yield upstream, key

    def is_upstream(self, key: str, of: str) -> bool:
        return bool(self.ancestors.get(of, 0) >> self.places[key] & 1)


def scope_of(placed: Sequence[Placed], broken: frozenset[str] = frozenset()) -> Scope:
    keys: dict[str, Placed] = {}
    for item in placed:
        keys.setdefault(item.key, item)
    return Scope(placed, keys, broken, places={key: number for number, key in enumerate(keys)})


def located_tasks(tasks: Sequence[Task], pointer: str) -> Iterator[Placed]:
    """Yield tasks and all in their bodies; `pointer` is that of their list."""
    for number, task in enumerate(tasks):
        yield Placed(task, f"{pointer}/{number}")
        for place, body in bodies(task):
            yield from located_tasks(body, f"{pointer}/{number}{place}")


def all_tasks(document: JobDocument) -> Iterator[Placed]:
    """Yield every task of a document, those in bodies and those that come after too."""
    yield from located_tasks(document.tasks, "/tasks")
    yield from located_tasks(document.on_failure, "/on_failure")
    yield from located_tasks(document.finally_, "/finally")


def bodies(task: Task) -> Iterator[tuple[str, Sequence[Task]]]:
    """Yield the lists of tasks inside a task, each with its pointer from there."""
    for kind, work in task.by_kind.items():
        if body := work.inner():
            yield f"/{kind}/tasks", body
    if task.compensate_with:
        yield "/compensate_with", task.compensate_with


def bodies_of(outer: Scope, owner: Placed) -> Iterator[Scope]:
    """Yield the levels inside a task: the body of a loop, and what undoes it."""
    for place, body in bodies(owner.task):
        pointer = owner.pointer + place
        inner = scope_of([Placed(task, f"{pointer}/{n}") for n, task in enumerate(body)])
        inner.outer, inner.owner, inner.taken = outer, owner.key, outer.taken
        inner.undoes = place == "/compensate_with"
        own = [] if inner.undoes else [v for work in owner.task.works for v in work.variables()]
        inner.variables = tuple(dict.fromkeys([*outer.variables, *own]))
        yield inner

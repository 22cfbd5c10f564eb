"""Faults of a job's graph: keys, edges and cycles; linear in tasks and edges."""

from collections import deque
from collections.abc import Iterator
from difflib import get_close_matches

from racine.definitions.document import Dependency
from racine.definitions.scope import Placed, Scope
from racine.errors import Fault

MAX_CYCLES = 20
"""Cycles told at once; cutting these shows the next."""


def graph_faults(scope: Scope) -> Iterator[Fault]:
    """Yield the faults of keys and edges, and fill in the ancestors of every task on no cycle."""
    yield from _duplicate_keys(scope)
    for placed in scope.tasks:
        if placed.task.depends_on:
            yield from _edge_faults(scope, placed)
    rest = _ancestors(scope)
    if rest:
        yield from _cycles(scope, rest)


def _duplicate_keys(scope: Scope) -> Iterator[Fault]:
    for placed in scope.tasks:
        first = scope.taken.setdefault(placed.key, placed.pointer)
        if first != placed.pointer:
            yield Fault(
                f"{placed.pointer}/task_key",
                f"The key {placed.key!r} is taken by {first}.",
                "Give every task of the job a key of its own, those in loops too.",
                "duplicate_key",
            )


def _edge_faults(scope: Scope, placed: Placed) -> Iterator[Fault]:
    key, pointer = placed.key, placed.pointer
    seen: set[tuple[str, str | None]] = set()
    for number, edge in enumerate(placed.task.depends_on):
        upstream, outcome = edge.task_key, edge.outcome
        again = (upstream, outcome) in seen
        seen.add((upstream, outcome))
        if again or outcome is not None or upstream == key or upstream not in scope.keys:
            place = f"{pointer}/depends_on/{number}"
            yield from _odd_edge_faults(scope, key, edge, place, again=again)


def _odd_edge_faults(
    scope: Scope, key: str, edge: Dependency, place: str, *, again: bool
) -> Iterator[Fault]:
    if edge.task_key == key:
        yield Fault(place, f"Task {key!r} waits for itself.", "Remove this edge.", "self_loop")
    elif again:
        yield Fault(place, f"The edge from {edge.task_key!r} stands twice.", "Remove one.",
                    "duplicate_edge")  # fmt: skip
    elif edge.task_key not in scope.keys:
        if edge.task_key not in scope.broken:
            yield Fault(f"{place}/task_key", f"There is no task {edge.task_key!r} here.",
                        did_you_mean(edge.task_key, scope.keys), "unknown_task")  # fmt: skip
    elif edge.outcome is not None:
        yield from _outcome_faults(scope, edge.task_key, edge.outcome, f"{place}/outcome")


def _outcome_faults(scope: Scope, key: str, outcome: str, place: str) -> Iterator[Fault]:
    outcomes = outcomes_of(scope, key)
    if outcomes is None:
        yield Fault(place, f"{key!r} decides nothing, so it has no outcome.",
                    "Remove the outcome, or depend on a condition_task.",
                    "outcome_of_no_condition")  # fmt: skip
    elif outcome not in outcomes:
        yield Fault(place, f"{key!r} never ends with the outcome {outcome!r}.",
                    f"It ends with one of: {', '.join(outcomes)}.", "unknown_outcome")  # fmt: skip


def outcomes_of(scope: Scope, key: str) -> list[str] | None:
    """Return the outcomes that a deciding task may have; None for one that decides nothing."""
    return next((work.outcomes() for work in scope.keys[key].task.works), None)


def did_you_mean(word: str, known: object) -> str:
    """Return a next step that names the closest of the known words."""
    close = get_close_matches(word, list(known), n=3)  # type: ignore[call-overload]
    if not close:
        return "Check the spelling."
    return f"Did you mean {' or '.join(map(repr, close))}?"


def _ancestors(scope: Scope) -> list[str]:
    """Fill in `scope.ancestors` in topological order; return the keys on or behind a cycle."""
    waiting = dict.fromkeys(scope.keys, 0)
    followers: dict[str, list[str]] = {key: [] for key in scope.keys}
    for upstream, downstream in scope.edges():
        waiting[downstream] += 1
        followers[upstream].append(downstream)
    ready = deque(key for key, count in waiting.items() if count == 0)
    sets = dict.fromkeys(scope.keys, 0)
    while ready:
        key = ready.popleft()
        scope.ancestors[key] = sets[key]
        passed_on = sets[key] | 1 << scope.places[key]
        for follower in followers[key]:
            sets[follower] |= passed_on
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    return [key for key, count in waiting.items() if count > 0]


def _cycles(scope: Scope, keys: list[str]) -> Iterator[Fault]:
    import networkx as nx  # here: 13 MB that only a faulty document needs

    graph: nx.DiGraph[str] = nx.DiGraph()
    inside = set(keys)
    graph.add_edges_from(e for e in scope.edges() if e[0] in inside and e[1] in inside)
    for _ in range(MAX_CYCLES):
        try:
            cycle = [(edge[0], edge[1]) for edge in nx.find_cycle(graph)]
        except nx.NetworkXNoCycle:
            return
        cut = max(cycle, key=lambda edge: scope.places[edge[0]] - scope.places[edge[1]])
        graph.remove_edge(*cut)
        yield _cycle_fault(scope, cycle, cut)


def _cycle_fault(scope: Scope, cycle: list[tuple[str, str]], cut: tuple[str, str]) -> Fault:
    """Name the cycle; the edge to cut is the one that leads furthest back in the document."""
    start, end = cut
    placed = scope.keys[end]
    number = next(n for n, d in enumerate(placed.task.depends_on) if d.task_key == start)
    first = [edge[0] for edge in cycle].index(end)
    around = " → ".join([end, *(edge[1] for edge in cycle[first:] + cycle[:first])])
    return Fault(
        f"{placed.pointer}/depends_on/{number}",
        f"These tasks wait for each other: {around}.",
        f"Cut the edge {start} → {end}: remove {start!r} from the depends_on of {end!r}.",
        "cycle",
    )

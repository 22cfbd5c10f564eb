"""Keeps warm children ready, apart for each set of folders that users' code comes from."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.python.process import Child, Log

_RETIRE_BYTES = 512 * 1024 * 1024
"""A child that once held this much memory is not used again: the system may not get it back."""


@dataclass
class PythonPool:
    """Runs tasks in child processes; `idle` of them stay warm for each set of folders.

    Of all together at most `warm_at_most` do: those go first whose folders were wanted longest ago.
    """

    idle: int = 2
    memory_megabytes: int = 2048
    warm_at_most: int = 8
    _children: dict[tuple[str, ...], list[Child]] = field(default_factory=dict, init=False)
    """In the order in which the folders were last used."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def run(
        self,
        folders: Sequence[str],
        order: dict[str, Any],
        seconds: float,
        log: Log,
        beat: Callable[[], None],
    ) -> dict[str, Any]:
        """Run a task in a child that serves those folders; raises what `Child.run` raises."""
        key = tuple(folders)
        child = self._take(key)
        answer = child.run(order, seconds, log, beat)
        peak = answer["measured"]["peak_memory_bytes"] or 0
        if peak > _RETIRE_BYTES or not self._give_back(key, child):
            child.kill()
        return answer

    def warm(self, folders: Sequence[str]) -> None:
        """Start the children that the first tasks will want."""
        for _ in range(self.idle):
            self._give_back(tuple(folders), Child(folders, self.memory_megabytes))

    def close(self) -> None:
        with self._lock:
            children = [child for kept in self._children.values() for child in kept]
            self._children.clear()
        for child in children:
            child.kill()

    def _take(self, key: tuple[str, ...]) -> Child:
        with self._lock:
            kept = self._children.get(key, [])
            while kept:
                child = kept.pop()
                if child.alive:
                    return child
        return Child(key, self.memory_megabytes)

    def _give_back(self, key: tuple[str, ...], child: Child) -> bool:
        with self._lock:
            kept = self._children.pop(key, [])
            self._children[key] = kept
            if len(kept) >= self.idle:
                return False
            kept.append(child)
            surplus = self._surplus()
        for old in surplus:
            old.kill()
        return True

    def _surplus(self) -> list[Child]:
        count = sum(map(len, self._children.values())) - self.warm_at_most
        oldest = [child for kept in self._children.values() for child in kept][: max(0, count)]
        for kept in self._children.values():
            kept[:] = [child for child in kept if child not in oldest]
        self._children = {key: kept for key, kept in self._children.items() if kept}
        return oldest

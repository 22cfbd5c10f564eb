"""A model of a held run that people steer: what each order does to it, or that it is refused.

The job: `a` fails while `params.broken`; the loop `c` follows `a`; the approval `ask` and the wait
for a signal `word` follow `b`; `d`, which gives back `params.note` and its version, follows all.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.temporal.test_deep_orders import ask
from tests.temporal.test_loops import echo, loop
from tests.temporal.test_repair import flaky

UPSTREAM: dict[str, list[str]] = {"a": [], "b": [], "c": ["a"], "ask": ["b"],
                                 "word": ["b"], "d": ["c", "ask", "word"]}  # fmt: skip
READS = {"broken": "a", "note": "d"}
INTEGER = {"properties": {"value": {"type": "integer"}}}
BAD = ("failed", "cancelled")

VERSIONS = 2
NEXT = 100
"""What `d` gives more from one version of the job to the next."""


def document(version: int) -> dict[str, Any]:
    """Return a version of the job, numbered from 1."""
    after_b = {"depends_on": [{"task_key": "b"}]}
    return {
        "name": "deep",
        "failure_policy": "HOLD",
        "parameters": [{"name": "broken", "default": True}, {"name": "note", "default": 0}],
        "tasks": [
            flaky("a", "params.broken"),
            echo("b", 1),
            {**loop("c", [1, 2], echo("in", "{{ item }}")), "depends_on": [{"task_key": "a"}]},
            {**ask(), **after_b},
            {"task_key": "word", "wait_task": {"signal": "word"}, **after_b},
            echo("d", f"{{{{ params.note + {NEXT * version} }}}}", *UPSTREAM["d"], outputs=INTEGER),
        ],
        "outputs": {"d": "{{ has(tasks.d.values.value) ? tasks.d.values.value : -1 }}"},
    }


def after(key: str) -> list[str]:
    """Return all tasks that follow one."""
    gone = {key}
    for follower, upstream in UPSTREAM.items():
        if gone & set(upstream):
            gone.add(follower)
    return [follower for follower in UPSTREAM if follower in gone - {key}]


@dataclass
class RunModel:
    """What the run is, once all that can happen by itself has happened."""

    states: dict[str, str] = field(default_factory=dict)
    """How tasks ended that have."""
    running: set[str] = field(default_factory=set)
    question: str | None = None
    """`open`, `passed` on to others, or what was said to it while the run was paused."""
    signals: int = 0
    """Given, and not taken yet."""
    listens: bool = False
    """Whether `word` waits."""
    version: int = VERSIONS
    paused: bool = False
    held: set[str] = field(default_factory=set)
    params: dict[str, Any] = field(default_factory=lambda: {"broken": True, "note": 0})
    value: int = -1
    """What `d` gave."""
    end: str | None = None
    begun: Counter[str] = field(default_factory=Counter)
    obeyed: Counter[str] = field(default_factory=Counter)

    def settle(self) -> None:
        """Let everything happen that no order holds back."""
        for key, upstream in UPSTREAM.items():
            if key in self.running and key not in self.held and not self.paused:
                self._carry_out(key)
            ended = all(up in self.states for up in upstream)
            if key not in self.states and key not in self.running and ended and not self.paused:
                self._start(key, [self.states[up] for up in upstream])
        over = len(self.states) == len(UPSTREAM) and "failed" not in self.states.values()
        self.end = "completed" if over else None

    def _start(self, key: str, upstream: list[str]) -> None:
        counted = [state for state in upstream if state != "excluded"]
        if upstream and not counted:
            self.states[key] = "excluded"
        elif any(state != "succeeded" for state in counted):
            self.states[key] = "skipped"
        else:
            self.running.add(key)
            if key not in self.held:
                self._carry_out(key)

    def _carry_out(self, key: str) -> None:
        if key == "word":
            self.listens = not self.signals
            if self.signals:
                self.signals -= 1
                self._end(key, "succeeded")
            return
        if key != "ask":
            self.begun[key] += 1
            if key == "d":
                self.value = self.params["note"] + NEXT * self.version
            self._end(key, "failed" if key == "a" and self.params["broken"] else "succeeded")
            return
        if self.question is None:
            self.begun[key] += 1
            self.question = "open"
        if self.question not in ("open", "passed"):
            self._end(key, "succeeded" if self.question == "approve" else "failed")

    def _end(self, key: str, state: str) -> None:
        self.running.discard(key)
        self.states[key] = state
        self.value = -1 if key == "d" and state != "succeeded" else self.value
        self.question = None if key == "ask" else self.question

    def obey(self, verb: str, key: str | None, more: dict[str, Any]) -> bool:
        """Change as the order says; tell whether the run obeys."""
        if self.end is not None:
            return False
        obeyed: bool = getattr(self, f"_{verb}")(key, more)
        if obeyed:
            self.obeyed[verb] += 1
        if obeyed and self.end is None:
            self.settle()
        return obeyed

    def _pause(self, key: str | None, more: dict[str, Any]) -> bool:
        if key is None:
            was, self.paused = self.paused, True
            return not was
        if key in self.held or key in self.states or key in self.running:
            return False
        self.held.add(key)
        return True

    def _resume(self, key: str | None, more: dict[str, Any]) -> bool:
        if key is None:
            was, self.paused = self.paused, False
            return was
        was = key in self.held
        self.held.discard(key)
        return was

    def _cancel(self, key: str | None, more: dict[str, Any]) -> bool:
        for left in UPSTREAM:
            if left not in self.states:
                self._end(left, "cancelled")
        self.end = "cancelled"
        return True

    def _terminate(self, key: str | None, more: dict[str, Any]) -> bool:
        self.end = "terminated"
        return True

    def _signal(self, key: str | None, more: dict[str, Any]) -> bool:
        self.signals += 1
        if self.listens and "word" in self.running:
            self._carry_out("word")
        return True

    def _delegate(self, key: str, more: dict[str, Any]) -> bool:
        if self.question != "open":
            return False
        self.question = "passed"
        return True

    def _retry(self, key: str, more: dict[str, Any]) -> bool:
        if key not in self.states or self.running & set(after(key)):
            return False
        self._forget([key, *after(key)])
        return True

    def _skip(self, key: str, more: dict[str, Any]) -> bool:
        return self._by_hand(key, "excluded")

    def _set_result(self, key: str, more: dict[str, Any]) -> bool:
        value = more["values"]["value"]
        if key == "d" and not isinstance(value, int):
            return False
        obeyed = self._by_hand(key, "succeeded")
        self.value = value if obeyed and key == "d" else self.value
        return obeyed

    def _by_hand(self, key: str, state: str) -> bool:
        if (key not in self.states and key not in self.running) or self.running & set(after(key)):
            return False
        if key not in self.running:
            self._forget([key, *after(key)])
        self._end(key, state)
        return True

    def _approve(self, key: str, more: dict[str, Any]) -> bool:
        return self._say("approve")

    def _reject(self, key: str, more: dict[str, Any]) -> bool:
        return self._say("reject")

    def _say(self, word: str) -> bool:
        if self.question != "open":
            return False
        self.question = word
        if "ask" in self.running:
            self._end("ask", "succeeded" if word == "approve" else "failed")
        return True

    def _change(self, key: str | None, more: dict[str, Any]) -> bool:
        # What is held has not begun, nor has what was passed over.
        ended = {key for key, state in self.states.items() if state != "skipped"}
        begun = self.running - self.held | ended
        if any(READS[name] in begun for name in more["parameters"]):
            return False
        self.params |= more["parameters"]
        return True

    def _repair(self, key: str | None, more: dict[str, Any]) -> bool:
        chosen = [key] if key else [key for key, state in self.states.items() if state in BAD]
        chosen = [key for key in chosen if key in self.states]
        if not chosen:
            return False
        for key in chosen:
            self._forget([key, *after(key)])
        self.running = set()
        self.params |= more["parameters"]
        self.version = more.get("version") or self.version
        return True

    def repair_ended(self, key: str | None, more: dict[str, Any]) -> bool:
        """Repair the run after its end."""
        if not self._repair(key, more):
            return False
        self.paused, self.held, self.question, self.signals = False, set(), None, 0
        self.settle()
        return True

    def _forget(self, keys: list[str]) -> None:
        for key in keys:
            self.states.pop(key, None)
            self.running.discard(key)
        if "ask" in keys:
            self.question = None
        if "d" in keys:
            self.value = -1

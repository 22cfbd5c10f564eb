"""User code in child processes: whatever it does ends its own attempt only."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from activities.python.pool import PythonPool
from activities.python.process import ChildDied, OutOfTime

HERE = str(Path(__file__).parent)


@pytest.fixture
def pool() -> Iterator[PythonPool]:
    pool = PythonPool(idle=1, memory_megabytes=512)
    yield pool
    pool.close()


def run(
    pool: PythonPool,
    name: str,
    seconds: float = 30,
    lines: list[tuple[str, str]] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    kept = [] if lines is None else lines
    order = {"callable": f"user_code:{name}", "parameters": parameters}
    return pool.run([HERE], order, seconds, lambda s, text: kept.append((s, text)), lambda: None)


def test_a_function_gives_its_values_and_its_output(pool: PythonPool) -> None:
    lines: list[tuple[str, str]] = []
    answer = run(pool, "double", lines=lines, n=4)
    assert answer["values"] == {"twice": 8}
    assert sorted(lines) == [("stderr", "careful"), ("stdout", "doubling 4")]


def test_records_of_loggers_are_told_with_level_and_name(pool: PythonPool) -> None:
    lines: list[tuple[str, str]] = []
    run(pool, "logs", lines=lines)
    assert [(stream, json.loads(line)) for stream, line in lines] == [
        ("log", {"level": "INFO", "logger": "shop.orders", "line": "3 orders read"}),
        ("log", {"level": "ERROR", "logger": "root", "line": "broken (ValueError)"}),
        ("log", {"level": "WARNING", "logger": "root",
                 "line": "'%d' cannot be formatted: TypeError"}),
    ]  # fmt: skip


def test_lines_are_told_while_the_task_goes_on(pool: PythonPool, tmp_path: Path) -> None:
    """The task waits for a file that is only made when its first line has arrived."""
    flag, lines = tmp_path / "flag", list[str]()

    def log(stream: str, text: str) -> None:
        lines.append(text)
        flag.touch()

    order = {"callable": "user_code:says_and_waits", "parameters": {"path": str(flag)}}
    answer = pool.run([HERE], order, 30, log, lambda: None)
    assert (lines, answer["values"]) == (["waiting"], {"result": "seen"})


def test_a_child_stays_warm_between_tasks(pool: PythonPool) -> None:
    first, second = run(pool, "identity"), run(pool, "identity")
    assert first["values"] == second["values"]


def test_a_segfault_ends_one_attempt(pool: PythonPool) -> None:
    with pytest.raises(ChildDied) as death:
        run(pool, "segfault")
    assert death.value.status == -signal.SIGSEGV
    assert run(pool, "double", n=1)["values"] == {"twice": 2}


def test_an_exit_ends_one_attempt_and_keeps_its_last_words(pool: PythonPool) -> None:
    lines: list[tuple[str, str]] = []
    with pytest.raises(ChildDied) as death:
        run(pool, "leave", lines=lines)
    assert death.value.status == 7
    assert lines == [("stdout", "last words")]
    assert run(pool, "leave_softly")["error"]["type"] == "SystemExit"


def test_a_time_limit_really_kills(pool: PythonPool) -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        run(pool, "forever", seconds=0.5)
    assert time.monotonic() - began < 60
    children = psutil.Process().children(recursive=True)
    assert not [c for c in children if "child.py" in " ".join(c.cmdline())]


def test_too_much_memory_is_an_error_of_the_task(pool: PythonPool) -> None:
    assert run(pool, "hungry")["error"]["type"] == "MemoryError"
    assert run(pool, "double", n=1)["values"] == {"twice": 2}


def test_processor_time_and_memory_are_those_of_the_attempt(pool: PythonPool) -> None:
    large = run(pool, "holds", megabytes=200)["measured"]
    small = run(pool, "busy", processor=0.2)["measured"]
    assert large["peak_memory_bytes"] > 200 << 20
    assert small["peak_memory_bytes"] < 100 << 20
    assert 0.2 <= small["cpu_seconds"] < 5


def test_an_error_shows_type_and_place_and_keeps_its_text_apart(pool: PythonPool) -> None:
    error = run(pool, "fails", value="anna@example.org")["error"]
    assert error["type"] == "ValueError"
    assert error["place"].startswith("user_code.py:")
    assert "anna@example.org" in error["traceback"]
    inside_a_library = run(pool, "misses")["error"]
    assert inside_a_library["place"].startswith("user_code.py:")


@pytest.mark.parametrize(
    ("name", "type_"), [("not_json", "TypeError"), ("not_a_number", "ValueError")]
)
def test_what_is_not_json_is_an_error(pool: PythonPool, name: str, type_: str) -> None:
    assert run(pool, name)["error"]["type"] == type_


@pytest.mark.parametrize("name", ["absent", "double.absent"])
def test_a_function_that_is_not_there_is_an_error(pool: PythonPool, name: str) -> None:
    assert run(pool, name)["error"]["type"] == "AttributeError"


def test_output_is_bounded(pool: PythonPool) -> None:
    lines: list[tuple[str, str]] = []
    run(pool, "talkative", lines=lines)
    assert len(lines) == 5001
    assert "not kept" in lines[-1][1]


def test_racines_own_settings_stay_outside(pool: PythonPool) -> None:
    os.environ["RACINE_TEST_KEY"] = "secret"
    try:
        assert run(pool, "environment")["values"] == {"racine": []}
    finally:
        del os.environ["RACINE_TEST_KEY"]


def test_an_attempt_that_is_called_off_is_killed(pool: PythonPool) -> None:
    begun = threading.Event()

    def beat() -> None:
        begun.set()
        raise KeyboardInterrupt

    order = {"callable": "user_code:forever", "parameters": {}}
    with pytest.raises(KeyboardInterrupt):
        pool.run([HERE], order, 30, lambda s, text: None, beat)
    assert begun.is_set()


def test_what_a_task_left_running_goes_with_its_child(pool: PythonPool) -> None:
    pid = run(pool, "orphan")["values"]["pid"]
    pool.close()
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)

"""Operations that users register."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from racine import registry
from racine.definitions.validation import examine
from racine.errors import InvalidInput
from racine.own import operation


class Masked(BaseModel):
    text: str


@operation("acme.mask", summary="Masks a text.", example={"text": "abc"})
def mask(text: str, keep: int = 1) -> Masked:
    return Masked(text=text[:keep] + "*" * (len(text) - keep))


@operation("acme.count")
def count(words: list[str]) -> int:
    """Counts words."""
    return len(words)


def test_a_function_becomes_an_operation_and_stays_a_function() -> None:
    assert mask("abc").text == "a**"
    op = registry.operation("acme.mask")
    assert op.judge is not None
    assert op.judge(op.input.model_validate({"text": "abc", "keep": 2})) == Masked(text="ab*")
    counted = registry.operation("acme.count")
    assert counted.summary == "Counts words."
    assert counted.judge is not None
    assert counted.judge(counted.input.model_validate({"words": ["a"]})).model_dump() == {
        "result": 1
    }


def test_validation_knows_it() -> None:
    task = {"operation": "acme.mask", "input": {"keep": "many"}}
    faults = examine({"name": "j", "tasks": [{"task_key": "a", "operation_task": task}]}).faults
    assert [fault.pointer for fault in faults] == [
        "/tasks/0/operation_task/input/text",
        "/tasks/0/operation_task/input/keep",
    ]


def test_what_has_no_type_or_a_taken_name_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no type"):
        operation("acme.untyped")(lambda x: x)
    with pytest.raises(InvalidInput, match="named"):

        @operation("racine.noop")
        def noop() -> int:
            return 1


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


def test_modules_are_loaded_by_name(package: Path) -> None:
    (package / "acme_ops.py").write_text(
        "from racine.own import operation\n"
        "@operation('acme.loaded')\n"
        "def loaded(n: int) -> int:\n"
        "    return n\n"
    )
    registry.load(["acme_ops"])
    assert registry.operation("acme.loaded").origin == "acme_ops:loaded"
    with pytest.raises(InvalidInput, match="acme_absent"):
        registry.load(["acme_absent"])

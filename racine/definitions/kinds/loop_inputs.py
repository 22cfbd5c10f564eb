"""What a loop may walk over beside a list: the rows of a file or of a statement, by reference."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from racine import statements
from racine.definitions.parts import Part
from racine.errors import Fault, InvalidInput
from racine.expressions import has_template, references, templates_in

if TYPE_CHECKING:
    from racine.definitions.document import Task

FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".pq": "parquet", ".txt": "lines",
}  # fmt: skip
"""How files of each ending are read."""


_BY_ACTIVITY = frozenset(
    (
        "operation_task",
        "python_task",
        "sql_task",
        "http_task",
        "quality_task",
        "notify_task",
        "run_job_task",
    )
)
"""Kinds whose templates an activity resolves, which can read an item behind its reference."""


def unread_items(tasks: Sequence["Task"], pointer: str, names: Collection[str]) -> Iterator[Fault]:
    """Yield the expressions that the run itself decides by an item, which it never reads.

    `names` are those of the item.
    """
    for number, task in enumerate(tasks):
        place = f"{pointer}/{number}"
        deciding = [(f"{place}/condition", task.condition)] if task.condition else []
        for kind, work in task.by_kind.items():
            deciding += [(f"{place}/{kind}/{name}", getattr(work, name)) for name in work.RESULTS]
            if kind not in _BY_ACTIVITY and kind != "for_each_task":
                fields = {**work.templated(), **{n: getattr(work, n) for n in work.CONDITIONS}}
                deciding += [(f"{place}/{kind}/{name}", text) for name, text in fields.items()]
            yield from unread_items(work.inner(), f"{place}/{kind}/tasks", names)
        yield from unread_items(task.compensate_with, f"{place}/compensate_with", names)
        for where, text in deciding:
            if _reads(names, text, bare="{{" not in str(text)):
                yield Fault(where, "The run does not read the rows of a file or a statement.",
                            "Let a task return what decides, and decide by its values.",
                            "unread_item")  # fmt: skip


def _reads(names: Collection[str], value: Any, *, bare: bool) -> bool:
    expressions = [value] if bare and isinstance(value, str) else templates_in(value)
    try:
        roots = {reference.path[0] for text in expressions for reference in references(text)}
    except InvalidInput:
        return False  # said where expressions are examined
    return not roots.isdisjoint(names)


class FileItems(Part):
    """The rows of a file, each an object by column; of CSV all values are text."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    """A path in the source; without a source, an absolute path in an allowed folder."""
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Name or id of a source of kind `files`."""
    format: Literal["csv", "jsonl", "parquet", "lines"] | None = None
    """By the file's ending when left out."""

    def templated(self) -> Mapping[str, Any]:
        return {"file": self.file, "source": self.source}

    def faults(self, pointer: str) -> Iterator[Fault]:
        if self.format is None and not has_template(self.file):
            if PurePath(self.file).suffix.lower() not in FORMATS:
                yield Fault(f"{pointer}/format", f"{self.file!r} does not tell its format.",
                            "Give format: csv, jsonl, parquet or lines.", "inputs")  # fmt: skip


class SqlItems(Part):
    """The rows of a statement that reads, each an object by column."""

    sql: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Name or id of a registered source."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Values that the statement reads as `:name`."""
    timeout_seconds: float = Field(default=3600, gt=0, le=86_400)

    def templated(self) -> Mapping[str, Any]:
        return {"source": self.source, "parameters": self.parameters}

    def faults(self, pointer: str) -> Iterator[Fault]:
        if templates_in(self.sql):
            yield Fault(f"{pointer}/sql", "A template would write a value into the statement.",
                        'Write :name there, and "parameters": {"name": "{{ … }}"}.',
                        "spliced_value")  # fmt: skip
            return
        try:
            statement = statements.read(self.sql)
            statements.bound(statement, self.parameters)
            if not statement.reads:
                raise InvalidInput(
                    f"A statement that begins with {statement.verb} may write.",
                    next_step="A loop only reads; write in a sql_task.",
                )
        except InvalidInput as fault:
            yield Fault(f"{pointer}/sql", fault.message, fault.next_step, "statement")

"""The task that runs SQL statements on a registered source."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from racine import statements
from racine.definitions.parts import COUNT, TEXT, TEXTS, TaskKind, Values
from racine.errors import Fault, InvalidInput
from racine.expressions import templates_in

Text = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class SqlTask(TaskKind):
    """Runs statements in order, all in one transaction; it reads unless it says that it writes.

    The rows of the last statement are kept as pages in the blob store (`result`); of its first row,
    the columns that `outputs` declares are values.
    """

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Name or id of a registered source; a template may give it."""
    statement: Text | Annotated[list[Text], Field(min_length=1, max_length=100)]
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Values that the statements read as `:name`; a list or an object is bound as JSON text."""
    write: bool = False
    """Whether the statements may change anything; such a task is tried once unless it has a
    retry policy of its own."""
    max_rows: int = Field(default=100_000, ge=1, le=10_000_000)
    """More rows fail the task."""
    timeout_seconds: float = Field(default=300, gt=0, le=86_400)
    """How long one statement may take."""

    PARSED: ClassVar = True
    TEMPLATES: ClassVar = ("source", "parameters")
    POOLED: ClassVar = True
    ALWAYS: ClassVar[Values] = {"rows": COUNT, "columns": TEXTS, "result": TEXT, "affected": COUNT}

    @property
    def texts(self) -> list[str]:
        return [self.statement] if isinstance(self.statement, str) else self.statement

    @property
    def once(self) -> bool:
        return self.write

    @property
    def seconds(self) -> float:
        return len(self.texts) * self.timeout_seconds + 60

    def asks(self) -> dict[str, str]:
        return {"data_sources:write" if self.write else "data_sources:run": "sql_task"}

    def values(self) -> Values:
        return self.ALWAYS

    def faults(self, pointer: str) -> Iterator[Fault]:
        for number, text in enumerate(self.texts):
            place = f"{pointer}/statement"
            yield from self._faults_of(
                text, place if text is self.statement else f"{place}/{number}"
            )

    def _faults_of(self, text: str, pointer: str) -> Iterator[Fault]:
        if templates_in(text):
            yield Fault(pointer, "A template would write a value into the statement.",
                        'Write :name there, and "parameters": {"name": "{{ … }}"}.',
                        "spliced_value")  # fmt: skip
            return
        try:
            statement = statements.read(text)
            statements.bound(statement, self.parameters)
        except InvalidInput as fault:
            yield Fault(pointer, fault.message, fault.next_step, "statement")
            return
        if not statement.reads and not self.write:
            yield Fault(pointer, f"A statement that begins with {statement.verb} may write.",
                        "Say write: true when it shall.", "statement")  # fmt: skip

"""The activity behind `sql_task`: statements on a registered source, in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from activities import rights
from activities.attempts import Attempt, Attempts, Performed
from activities.cells import row_json, scalar
from activities.interrupting import interrupting
from activities.names import SQL
from activities.opening import located
from activities.statements.opening import begin
from activities.statements.protocol import Answer, Row, Session
from models.messages import TaskCall, TaskOutput
from models.session import Database
from models.stores import pages, sources
from models.stores.sources import Source
from racine import statements
from racine.definitions.given import parsed
from racine.definitions.kinds.sql import SqlTask
from racine.errors import Conflict, ContractBroken, InvalidInput, RacineError, SourceFault
from racine.governance.data_sources.states import SourceState

_LONGEST_SCALAR = 1024
"""Bytes of a first row's value that may stand among the task's values."""


class SqlTasks:
    """Runs statements; rows go to the blob store and travel by reference."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    @activity.defn(name=SQL, no_thread_cancel_exception=True)
    def run(self, call: TaskCall) -> TaskOutput:
        """Run one attempt of a sql_task."""

        def work(attempt: Attempt, given: dict[str, Any]) -> Performed:
            task = parsed(SqlTask, "sql_task", given)
            kept, affected = self._perform(attempt, task)
            values: dict[str, Any] = {}
            if affected is not None:
                values["affected"] = affected
            if kept is not None:
                values |= {"rows": kept.count, "columns": list(kept.columns), "result": kept.ref}
                values |= _first_row(kept, call.outputs or {})
            return Performed(values, {k: values[k] for k in ("rows", "result") if k in values})

        return self._attempts.carry_out(call, work)

    def _perform(self, attempt: Attempt, task: SqlTask) -> tuple["Kept | None", int | None]:
        context = attempt.call.context
        source = usable(self._attempts.db, context.workspace_id, task.source)
        asked = "data_sources:write" if task.write else "data_sources:run"
        rights.require(self._attempts.db, context, asked, scope=source.id)
        location, boundary = located(self._attempts.db, source)
        run = _Run(self._attempts.db, attempt, task, source.kind)
        return run.through(
            lambda: begin(location, boundary, write=task.write, seconds=task.timeout_seconds)
        )


@dataclass(frozen=True)
class Kept:
    """Rows that were written down, and the first of them."""

    ref: str
    count: int
    columns: tuple[str, ...]
    first: Row | None


@dataclass(frozen=True)
class _Run:
    """One attempt's statements on one source."""

    db: Database
    attempt: Attempt
    task: SqlTask
    kind: str

    def through(self, open_: Any) -> tuple[Kept | None, int | None]:
        """Run every statement, keep the rows of the last and commit."""
        wanted = [statements.parse(text, self.kind) for text in self.task.texts]
        self._refuse_writing(wanted)
        statements.refuse_apart(wanted, self.kind)
        given = _bindable(self.task.parameters)
        values = [statements.bound(statement, given) for statement in wanted]
        session: Session = open_()
        kept, affected = None, None
        try:
            for statement, bound in zip(wanted, values, strict=True):
                last = statement is wanted[-1]
                kept, count = self._one(session, statement, bound, keep=last)
                if count is not None and count >= 0:
                    affected = (affected or 0) + count
            self._commit(session)
        finally:
            session.close()
        return kept, affected

    def _refuse_writing(self, wanted: Sequence[statements.Statement]) -> None:
        writing = next((s for s in wanted if not s.reads), None)
        if writing is not None and not self.task.write:
            raise InvalidInput(
                f"A statement that begins with {writing.verb} may write, and the task only reads.",
                next_step="Say `write: true` in the sql_task when it shall.",
            )

    def _one(
        self,
        session: Session,
        statement: statements.Statement,
        values: Mapping[str, Any],
        *,
        keep: bool,
    ) -> tuple[Kept | None, int | None]:
        seconds = self.task.timeout_seconds
        with interrupting(session.cancel, seconds) as out_of_time:
            try:
                answer = session.run(statement, values)
                kept = self._keep(answer) if keep and answer.columns else None
                return kept, answer.affected
            except RacineError:
                self.attempt.heartbeat()  # raises when the attempt was cancelled
                if out_of_time():
                    raise SourceFault(
                        f"The statement took longer than {seconds:g} s and was broken off.",
                        next_step="Raise timeout_seconds, or ask for less.",
                    ) from None
                raise

    def _keep(self, answer: Answer) -> Kept:
        writer = pages.Writer(self.db, self.attempt.call.context)
        first: Row | None = None
        count = 0
        for batch in answer.batches:
            first = first if first is not None or not batch else batch[0]
            count += len(batch)
            if count > self.task.max_rows:
                raise InvalidInput(
                    f"The statement gives more than {self.task.max_rows} rows.",
                    next_step="Raise max_rows, or ask for fewer: aggregate or LIMIT at the source.",
                )
            writer.add(map(row_json, batch))
            self.attempt.heartbeat()
        ref = writer.close({"columns": list(answer.columns)})
        return Kept(ref, count, answer.columns, first)

    def _commit(self, session: Session) -> None:
        try:
            session.commit()
        except RacineError as fault:
            if not (self.task.write and fault.retryable):
                raise
            raise SourceFault(
                "The connection was lost while the changes were committed: they may be there.",
                next_step="Look at the source, then retry or skip the task.",
            ) from None


def usable(db: Database, workspace_id: str, name: str) -> Source:
    """Return a source by name or id; raise NotFound, or Conflict for an archived one."""
    with db.read() as session:
        source = sources.named(session, workspace_id, name)
        source = source or sources.get(session, name, workspace_id=workspace_id)
    if source.state == SourceState.ARCHIVED:
        raise Conflict(f"The source {source.name!r} is archived.")
    return source


def _bindable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in parameters.items()
    }


def _first_row(kept: Kept, outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the declared columns of the first row; raise ContractBroken for one that is large."""
    declared = outputs.get("properties", {})
    found = {}
    for place, name in enumerate(kept.columns):
        if kept.first is None or name not in declared or name in ("rows", "columns", "result"):
            continue
        found[name] = scalar(kept.first[place], declared[name])
        if len(json.dumps(found[name])) > _LONGEST_SCALAR:
            raise ContractBroken(
                f"The column {name!r} of the first row is no small value.",
                next_step=f"Declare columns of at most {_LONGEST_SCALAR} bytes; rows travel in"
                " `result`.",
            )
    return found

"""The items of a loop over a file or a statement, as JSON, a few at a time."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from activities import rights
from activities.cells import record_json
from activities.connectors.boundary import Boundary
from activities.interrupting import interrupting
from activities.opening import located
from activities.sql import usable
from activities.statements.opening import begin
from models.messages import RunContext
from models.session import Database
from models.settings import Settings
from racine import statements
from racine.definitions.kinds.loop_inputs import FORMATS, FileItems, SqlItems
from racine.errors import InvalidInput, RacineError, SourceFault

MAX_ITEMS = 10_000_000

Beat = Callable[..., None]
Items = Iterator[Sequence[str]]
"""Some items at a time, each as JSON."""


def of_file(db: Database, context: RunContext, given: FileItems, beat: Beat) -> Items:
    """Yield a file's rows; raise SourceFault when it may not be, or cannot be, read."""
    path = _path(db, context, given)
    kind = given.format or FORMATS.get(PurePath(given.file).suffix.lower())
    if kind is None:
        raise InvalidInput(
            f"{given.file!r} does not tell its format.",
            next_step="Give format: csv, jsonl, parquet or lines.",
        )
    if not path.is_file():
        raise SourceFault(f"There is no file {given.file}.", next_step="Check the path.")
    for batch in _lines(path) if kind in ("lines", "jsonl") else _table(path, kind):
        beat()
        yield [_record(line, path) for line in batch] if kind == "jsonl" else batch


def of_statement(db: Database, context: RunContext, given: SqlItems, beat: Beat) -> Items:
    """Yield a statement's rows; raises as a sql_task does."""
    source = usable(db, context.workspace_id, given.source)
    rights.require(db, context, "data_sources:run", scope=source.id)
    statement = statements.parse(given.sql, source.kind)
    if not statement.reads:
        raise InvalidInput("A loop only reads.", next_step="Write in a sql_task.")
    values = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in statements.bound(statement, given.parameters).items()
    }
    location, boundary = located(db, source)
    session = begin(location, boundary, write=False, seconds=given.timeout_seconds)
    try:
        with interrupting(session.cancel, given.timeout_seconds):
            answer = session.run(statement, values)
            for batch in answer.batches:
                beat()
                yield [record_json(answer.columns, row) for row in batch]
    except RacineError:
        beat()  # raises when the attempt was cancelled
        raise
    finally:
        session.close()


def batched(items: Items, size: int | None) -> Items:
    """Yield items as lists of so many; as they are without a size."""
    if size is None:
        yield from items
        return
    left: list[str] = []
    for some in items:
        left += some
        while len(left) >= size:
            yield [f"[{','.join(left[:size])}]"]
            del left[:size]
    if left:
        yield [f"[{','.join(left)}]"]


def _path(db: Database, context: RunContext, given: FileItems) -> Path:
    if given.source is not None:
        source = usable(db, context.workspace_id, given.source)
        rights.require(db, context, "data_sources:run", scope=source.id)
        location, boundary = located(db, source)
        if location.kind != "files":
            raise InvalidInput(
                f"The source {source.name!r} holds no local files.",
                next_step="Name a source of kind files, or walk over a statement.",
            )
        root = Path(boundary.file(location.path))
        path = root if root.is_file() else root / given.file
        return Path(Boundary(folders=(root,)).file(str(path)))
    rights.require(db, context, "data_sources:run")
    folders = Settings(database_url=db.url).source_folders
    if not folders:
        raise InvalidInput(
            "A loop reads files of a registered source, or of folders that an operator allows.",
            next_step="Name a source of kind files, or set RACINE_SOURCE_FOLDERS.",
        )
    return Path(Boundary(folders=folders).file(given.file))


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as stream:
        while lines := list(islice(stream, 1000)):
            texts = [line.decode("utf-8-sig", "replace").rstrip("\r\n") for line in lines]
            yield [json.dumps(text) for text in texts if text]


def _record(line: str, path: Path) -> str:
    text: str = json.loads(line)
    try:
        json.loads(text)
    except ValueError:
        raise SourceFault(
            f"A line of {path.name} is no JSON.", next_step="Check that the file is JSON Lines."
        ) from None
    return text


def _table(path: Path, kind: str) -> Iterator[list[str]]:
    from activities.connectors import duckdb_engine as engine  # slow to load

    file = engine.text(str(path))
    read = f"read_csv({file}, all_varchar = true)" if kind == "csv" else f"read_parquet({file})"
    with engine.over_folder(path.parent) as connection:
        with engine.faults(path.name):
            found: Any = connection.execute(f"SELECT * FROM {read}")
            columns = [column[0] for column in found.description]
        while True:
            with engine.faults(path.name):
                rows = found.fetchmany(1000)
            if not rows:
                return
            yield [record_json(columns, row) for row in rows]

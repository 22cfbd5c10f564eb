"""Gives loops their items: resolved, cut into batches, and kept apart when they are many."""

import json
from typing import Any

from temporalio import activity

from activities import items
from activities.faults import as_failure
from activities.heartbeats import Heartbeats
from activities.names import COLLECT, EXPAND, SLICE
from activities.naming import named
from models.messages import INLINE_LIMIT, CollectCall, ExpandCall, Expanded, Results, SliceCall
from models.session import Database
from models.stores import blobs, pages
from racine import expressions
from racine.definitions.given import parsed
from racine.definitions.kinds.loop_inputs import FileItems, SqlItems
from racine.errors import InvalidInput, RacineError


class LoopActivities:
    def __init__(self, db: Database, heartbeats: Heartbeats) -> None:
        self._db = db
        self._heartbeats = heartbeats

    @activity.defn(name=EXPAND, no_thread_cancel_exception=True)
    def expand(self, call: ExpandCall) -> Expanded:
        """Resolve a loop's inputs to its items."""
        try:
            return self._expanded(call)
        except RacineError as fault:
            raise as_failure(fault) from fault

    @activity.defn(name=SLICE)
    def slice(self, call: SliceCall) -> list[Any]:
        """Return a stretch of the items in a blob."""
        try:
            items: list[Any] = self._load(call.context.workspace_id, call.ref)
        except RacineError as fault:
            raise as_failure(fault) from fault
        return items[call.start : call.start + call.count]

    @activity.defn(name=COLLECT)
    def collect(self, call: CollectCall) -> Results:
        """Put parts of a loop's results together, in order, and keep them in a blob."""
        try:
            return self._collected(call)
        except RacineError as fault:
            raise as_failure(fault) from fault

    def _collected(self, call: CollectCall) -> Results:
        workspace_id = call.context.workspace_id
        items: list[tuple[int, Any]] = []
        for part in call.parts:
            items += part.items if part.ref is None else self._load(workspace_id, part.ref)
        kept: Any = items
        if call.total is not None:
            by_number = dict(items)
            kept = {"results": [by_number.get(number) for number in range(call.total)]}
        with self._db.write() as session:
            return Results(ref=blobs.put(session, call.context, json.dumps(kept).encode()))

    def _expanded(self, call: ExpandCall) -> Expanded:
        if isinstance(call.inputs, dict):
            with self._heartbeats.keep() as beat:
                return self._by_reference(call, beat)
        items = self._resolved(call)
        if not isinstance(items, list):
            raise InvalidInput(
                f"A loop walks over a list, not over {type(items).__name__}.",
                next_step="Give a list; for a map, a list of its keys.",
            )
        if call.batch_size is not None:
            size = call.batch_size
            items = [items[n : n + size] for n in range(0, len(items), size)]
        content = json.dumps(items).encode()
        if len(content) <= INLINE_LIMIT:
            return Expanded(count=len(items), items=items)
        with self._db.write() as session:
            ref = blobs.put(session, call.context, content)
        return Expanded(count=len(items), ref=ref)

    def _by_reference(self, call: ExpandCall, beat: items.Beat) -> Expanded:
        """Keep the rows of a file or a statement in pages: they never enter the history."""
        given, context = self._resolved(call), call.context
        rows = (
            items.of_file(self._db, context, parsed(FileItems, "for_each_task", given), beat)
            if "file" in given
            else items.of_statement(
                self._db, context, parsed(SqlItems, "for_each_task", given), beat
            )
        )
        writer = pages.Writer(self._db, context)
        count = 0
        for some in items.batched(rows, call.batch_size):
            count += len(some)
            if count > items.MAX_ITEMS:
                raise InvalidInput(
                    f"A loop walks over at most {items.MAX_ITEMS} items.",
                    next_step="Give batch_size, or ask for fewer rows.",
                )
            writer.add(some)
        return Expanded(count=count, ref=writer.close(), by_reference=True)

    def _resolved(self, call: ExpandCall) -> Any:
        if call.names is None:
            return call.inputs
        with self._db.read() as session:
            names = named(session, call.context.workspace_id, call.names)
        return expressions.resolve(call.inputs, names)

    def _load(self, workspace_id: str, ref: str) -> Any:
        with self._db.read() as session:
            return json.loads(blobs.get(session, workspace_id, ref).content)

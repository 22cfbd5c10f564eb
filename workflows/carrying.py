"""What a workflow takes along when it continues as new, by reference once it is much.

Temporal takes at most 2 MB as a workflow's input (limit.blobSize.error).
"""

import asyncio
import base64
import zlib
from collections.abc import Awaitable
from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Burden, JobInput, LoopInput, Results, RunContext
    from workflows.blobs import collected, sliced
    from workflows.waiting import settled

MOST = 512 * 1024
"""Bytes of JSON that travel inline, and of each piece of what does not."""

Given = TypeVar("Given", JobInput, LoopInput)


def is_much(given: JobInput | LoopInput) -> bool:
    return given.carried is not None and len(_burden(given).model_dump_json()) > MOST


async def put_away(given: Given, context: RunContext) -> Given:
    """Return the input with all that it carries in blobs, piece by piece.

    A cancellation meanwhile is noted in it: the next history heeds it.
    """
    return await _to_its_end(given, _put_away(given, context))


async def fetched(given: Given, context: RunContext) -> Given:
    """Return the input with what it carries, from its blobs, and note a cancellation meanwhile."""
    return await _to_its_end(given, _fetched(given, context))


async def _to_its_end(given: Given, work: Awaitable[Given]) -> Given:
    cancelled = [given.cancelled]
    moving = asyncio.ensure_future(work)
    await settled(moving, None, lambda: cancelled.append(True))
    return (await moving).model_copy(update={"cancelled": any(cancelled)})


async def _put_away(given: Given, context: RunContext) -> Given:
    whole = _burden(given).model_dump_json()
    text = base64.b64encode(zlib.compress(whole.encode(), 6)).decode()
    refs = [
        await _kept(context, number, text[start : start + MOST])
        for number, start in enumerate(range(0, len(text), MOST))
    ]
    return given.model_copy(update={"carried": None, "kept": None, "carried_in": refs})


async def _fetched(given: Given, context: RunContext) -> Given:
    text = "".join(
        [await _piece(context, number, ref) for number, ref in enumerate(given.carried_in)]
    )
    burden = Burden.model_validate_json(zlib.decompress(base64.b64decode(text)))
    carried = burden.carried or burden.stretch
    return given.model_copy(update={"carried": carried, "kept": burden.kept, "carried_in": []})


def _burden(given: JobInput | LoopInput) -> Burden:
    if isinstance(given, JobInput):
        return Burden(carried=given.carried, kept=given.kept)
    return Burden(stretch=given.carried, kept=given.kept)


async def _kept(context: RunContext, number: int, piece: str) -> str:
    parts = [Results(items=[(number, piece)])]
    found = await collected(context, parts, f"carry:{number}")
    return found.ref or ""


async def _piece(context: RunContext, number: int, ref: str) -> str:
    found = await sliced(context, ref, 0, 1, f"fetch:{number}")
    return str(found[0][1])

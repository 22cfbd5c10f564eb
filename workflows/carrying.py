"""What a run takes along when it continues as new, by reference once it is much.

Temporal takes at most 2 MB as a workflow's input (limit.blobSize.error).
"""

import base64
import zlib

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Burden, JobInput, Results
    from workflows.blobs import collected, sliced

MOST = 512 * 1024
"""Bytes of JSON that travel inline, and of each piece of what does not."""


def is_much(given: JobInput) -> bool:
    return given.carried is not None and len(given.carried.model_dump_json()) > MOST


async def put_away(given: JobInput) -> JobInput:
    """Return the input with all that it carries in blobs, piece by piece."""
    whole = Burden(carried=given.carried, kept=given.kept).model_dump_json()
    text = base64.b64encode(zlib.compress(whole.encode(), 6)).decode()
    refs = [
        await _kept(given, number, text[start : start + MOST])
        for number, start in enumerate(range(0, len(text), MOST))
    ]
    return given.model_copy(update={"carried": None, "kept": None, "carried_in": refs})


async def _kept(given: JobInput, number: int, piece: str) -> str:
    parts = [Results(items=[(number, piece)])]
    found = await collected(given.context, parts, f"carry:{number}")
    return found.ref or ""


async def fetched(given: JobInput) -> JobInput:
    """Return the input with what it carries, from its blobs."""
    text = "".join(
        [await _piece(given, number, ref) for number, ref in enumerate(given.carried_in)]
    )
    burden = Burden.model_validate_json(zlib.decompress(base64.b64decode(text)))
    return given.model_copy(
        update={"carried": burden.carried, "kept": burden.kept, "carried_in": []}
    )


async def _piece(given: JobInput, number: int, ref: str) -> str:
    found = await sliced(given.context, ref, 0, 1, f"fetch:{number}")
    return str(found[0][1])

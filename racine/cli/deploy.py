"""`racine deploy`: a folder's jobs with the code that they run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json
from racine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from racine.client import Client
    from racine.definitions.diff import Change

_IGNORED = frozenset({"__pycache__"})


@dataclass(frozen=True)
class Packed:
    """The files of a folder as one bundle."""

    content: bytes
    files: int
    modules: frozenset[str]


@dataclass(frozen=True)
class Planned:
    """What deploying one job would change; `changes` is None for a new job."""

    document: dict[str, Any]
    changes: "list[Change] | None"


def deploy(
    folder: Annotated[Path, typer.Argument(help="Holds the jobs and all the code they run.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Make a folder's jobs the latest versions, each pinned to the folder's code as it is now.

    Runs that are under way keep the code they began with.
    """
    from racine.cli.loading import load_folder

    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.")
    found = load_folder(folder)
    faults = [fault for loaded in found for fault in loaded.faults]
    if faults:
        raise InvalidInput("Nothing was deployed: there are faults.", faults=faults)
    packed = pack_folder(folder)
    documents = [loaded.document for loaded in found if loaded.document is not None]
    with profiles.client() as client:
        told = _deployed(client, packed, documents, dry_run=dry_run)
    if output is Format.JSON:
        as_json(told)
    else:
        _show(told)


def pack_folder(folder: Path) -> Packed:
    """Return the bundle of a folder's visible files; raise InvalidInput for a link that leads out.

    A link that stays inside is packed as what it leads to.
    """
    from racine import bundles

    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}
    return Packed(bundles.pack(files), len(files), bundles.modules(files))


def _files(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part in _IGNORED for part in parts):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise InvalidInput(
                f"{path} is a link that leads out of {folder}.",
                next_step="Copy what it leads to into the folder, or remove the link.",
            )
        if path.is_file() and path.suffix != ".pyc":
            yield path


def _deployed(
    client: "Client", packed: Packed, documents: Sequence[dict[str, Any]], *, dry_run: bool
) -> dict[str, Any]:
    from racine import bundles

    digest = bundles.digest(packed.content)
    pinned = [_pinned(document, packed.modules, digest) for document in documents]
    _require_sound(client, pinned)
    planned = [Planned(document, _changes(client, document)) for document in pinned]
    if not dry_run:
        if any("bundle" in document for document in pinned):
            client.put_bundle(packed.content)
        saved = [client.apply(plan.document) for plan in planned]
    else:
        saved = [{"name": p.document["name"], "changed": p.changes != []} for p in planned]
    jobs = [_told(plan, answer) for plan, answer in zip(planned, saved, strict=True)]
    return {"bundle": digest, "files": packed.files, "bytes": len(packed.content),
            "dry_run": dry_run, "jobs": jobs}  # fmt: skip


def _pinned(document: Mapping[str, Any], modules: frozenset[str], digest: str) -> dict[str, Any]:
    """Return a document with its code named, where any of it lies in the folder."""
    from racine.definitions.document import JobDocument
    from racine.definitions.every_task import every_task

    works = (found.task.python_task for found in every_task(JobDocument.model_validate(document)))
    inside = any(work.callable.partition(":")[0] in modules for work in works if work)
    return {**document, "bundle": digest} if inside else dict(document)


def _require_sound(client: "Client", documents: Sequence[dict[str, Any]]) -> None:
    """Raise InvalidInput with what the server has against any of the jobs: all or none go."""
    faults = [
        Fault(fault["pointer"], f"{document['name']}: {fault['message']}", fault["next_step"])
        for document in documents
        for fault in client.faults(document)["faults"]
    ]
    if faults:
        raise InvalidInput("Nothing was deployed: the server finds faults.", faults=faults)


def _changes(client: "Client", document: dict[str, Any]) -> "list[Change] | None":
    from racine.definitions.diff import diff
    from racine.definitions.document import JobDocument

    before = client.document(document["name"])
    if before is None:
        return None
    return diff(JobDocument.model_validate(before), JobDocument.model_validate(document))


def _told(plan: Planned, saved: Mapping[str, Any]) -> dict[str, Any]:
    changes = None if plan.changes is None else [asdict(change) for change in plan.changes]
    kept = {name: saved.get(name) for name in ("name", "id", "version", "changed")}
    return kept | {"new": changes is None, "changes": changes or []}


def _show(told: dict[str, Any]) -> None:
    from racine.cli.workflows import show_changes

    typer.echo(f"bundle {told['bundle'][:12]}: {told['files']} files, {told['bytes']} bytes")
    for job in told["jobs"]:
        version = f" is at version {job['version']}" if job["version"] else ""
        how = "new" if job["new"] else "changed" if job["changed"] else "as it was"
        typer.echo(f"\n{job['name']}{version} ({how})")
        if job["changes"]:
            show_changes(job["changes"])

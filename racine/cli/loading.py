"""Reads job documents from files: JSON, YAML, or Python that defines jobs."""

import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from racine.definitions import validation
from racine.errors import Fault, InvalidInput


@dataclass(frozen=True)
class Loaded:
    """One job of a file: its document, and every fault it was found to have."""

    file: Path
    name: str
    document: dict[str, Any] | None
    faults: tuple[Fault, ...] = ()


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: a date stays the text it was written as, a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            mark = node.start_mark
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice[0]!r} stands twice", mark
            )
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(file: Path) -> list[Loaded]:
    """Return the jobs of a file with their faults; raise InvalidInput when it cannot be read."""
    if not file.is_file():
        raise InvalidInput(f"There is no file {file}.")
    if file.suffix == ".py":
        return list(_of_python(file))
    return [_examined(file, document) for document in _documents(file)]


def valid(files: list[Path]) -> list[dict[str, Any]]:
    """Return the documents of all files; raise InvalidInput when any of them has a fault."""
    found = [loaded for file in files for loaded in load(file)]
    faults = [fault for loaded in found for fault in loaded.faults]
    if faults:
        raise InvalidInput("Nothing was applied: there are faults.", faults=faults)
    return [loaded.document for loaded in found if loaded.document is not None]


def only_document(file: Path) -> dict[str, Any]:
    """Return the one object that a JSON or YAML file holds."""
    found = _documents(file) if file.is_file() else []
    if len(found) != 1 or not isinstance(found[0], dict):
        raise InvalidInput(f"{file} is no file with one object.")
    return dict(found[0])


def _examined(file: Path, document: Any) -> Loaded:
    if not isinstance(document, dict):
        return Loaded(file, "?", None, (Fault("", f"{file} holds no job document."),))
    report = validation.examine(document)
    return Loaded(file, str(document.get("name", "?")), document, tuple(report.faults))


def _documents(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix in (".yaml", ".yml"):
            return [found for found in yaml.load_all(text, _Loader) if found is not None]
        found = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, yaml.YAMLError) as fault:
        raise InvalidInput(f"{file} cannot be read: {fault}") from None
    return found if isinstance(found, list) else [found]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return made


def load_folder(folder: Path) -> list[Loaded]:
    """Return the jobs of a folder's files, as a worker sees them that has the folder as its bundle.

    Raises InvalidInput for a file that cannot be read, and for two jobs of one name.
    """
    found = [loaded for file in sorted(_visible(folder)) for loaded in _in_folder(file, folder)]
    if not found:
        raise InvalidInput(
            f"{folder} defines no job.",
            next_step="Put a job document in it, or `@racine.job()` above a function.",
        )
    for job in found:
        if (first := next(other for other in found if other.name == job.name)) is not job:
            raise InvalidInput(f"{first.file} and {job.file} both define the job {job.name!r}.")
    return found


def _visible(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            yield path


def _in_folder(file: Path, folder: Path) -> Iterator[Loaded]:
    if file.suffix == ".py" and b"racine" in file.read_bytes():
        module = _imported(file, folder)
        yield from _jobs_of(file, module, own=True)
    elif file.suffix in (".json", ".yaml", ".yml"):
        for document in _documents(file):
            if isinstance(document, dict) and {"name", "tasks"} <= document.keys():
                yield _examined(file, document)


def _imported(file: Path, folder: Path) -> ModuleType:
    """Import a file by its name below the folder."""
    parts = file.relative_to(folder).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    root = str(folder.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        module = importlib.import_module(name)
    except Exception as fault:
        raise _failed(file, fault) from fault
    if Path(str(module.__file__)).resolve() != file.resolve():
        raise InvalidInput(
            f"{file} cannot be imported: {name!r} is {module.__file__}.",
            next_step="Give the file a name that no installed module has.",
        )
    return module


def _of_python(file: Path) -> Iterator[Loaded]:
    found = list(_jobs_of(file, _module(file)))
    if not found:
        raise InvalidInput(
            f"{file} defines no job.", next_step="Put `@racine.job()` above a function of it."
        )
    yield from found


def _jobs_of(file: Path, module: ModuleType, *, own: bool = False) -> Iterator[Loaded]:
    """Yield a module's jobs; `own` leaves out those that it imports from another."""
    from racine.sdk.job import JobDefinition

    jobs = [value for value in vars(module).values() if isinstance(value, JobDefinition)]
    for job in jobs:
        if own and job.function.__module__ != module.__name__:
            continue
        try:
            yield Loaded(file, job.name, job.document)
        except InvalidInput as fault:
            yield Loaded(file, job.name, None, tuple(fault.faults))
        except Exception as fault:
            raise _failed(file, fault) from fault


def _module(file: Path) -> ModuleType:
    """Import a file by the name that a worker will import it by: from the working directory."""
    here, path = Path.cwd(), file.resolve()
    inside = path.is_relative_to(here)
    parts = path.relative_to(here).with_suffix("").parts if inside else (path.stem,)
    name = ".".join(parts)
    sys.path.insert(0, str(here if inside else path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not all(map(str.isidentifier, parts)):
        raise InvalidInput(f"{file} cannot be imported.", next_step="Use letters, digits and _.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        raise _failed(file, fault) from fault
    return module


def _failed(file: Path, fault: Exception) -> InvalidInput:
    """Return what the user's code raised, with the last line of the file that it came by."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(fault.__traceback__)
        if Path(frame.filename).resolve() == file.resolve()
    ]
    place = f"{file}:{lines[-1]}" if lines else str(file)
    return InvalidInput(f"{place} fails: {type(fault).__name__}: {fault}")

"""Classifiers beside the built-in ones: users' YAML files, and names in free text."""

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from models import free_text
from models.settings import Settings
from models.stores import classifiers as declared_ones
from racine.errors import InvalidInput
from racine.governance.classifications import custom
from racine.governance.classifications.engine import Classifier


def configured(settings: Settings) -> tuple[Classifier, ...]:
    """Return the classifiers that this installation has beside the built-in ones."""
    return load(settings.classifiers_folder, settings.free_text_names)


def of_workspace(session: Session, workspace_id: str, settings: Settings) -> tuple[Classifier, ...]:
    """Return the classifiers of this installation and those that the workspace declared."""
    declared = declared_ones.entries(session, workspace_id)
    own = _declared(json.dumps(declared, sort_keys=True)) if declared else ()
    return (*configured(settings), *own)


def load(folder: Path | None, free_text_names: str = "") -> tuple[Classifier, ...]:
    """Return the classifiers of a folder, file by file, and the finder of names in free text.

    A file that changed is read anew. Raises InvalidInput naming the folder or file that cannot be
    used, an id that two files declare, or what the finder of names wants.
    """
    names = (free_text.person_names(free_text_names),) if free_text_names else ()
    return (*_of_folder(folder), *names)


def _of_folder(folder: Path | None) -> tuple[Classifier, ...]:
    if folder is None:
        return ()
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
        stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    except OSError as fault:
        raise InvalidInput(
            f"The folder of classifiers {folder} cannot be read: {fault.strerror}.",
            next_step="Make it, or name the one that `racine classifiers add` saves to.",
        ) from None
    return _loaded(stamps)


@lru_cache(64)
def _declared(text: str) -> tuple[Classifier, ...]:
    return tuple(custom.from_declarations(json.loads(text)))


@lru_cache(4)
def _loaded(stamps: tuple[tuple[Path, int, int], ...]) -> tuple[Classifier, ...]:
    # Reading measures each classifier's chance rate: too long to do for every scan.
    found = tuple(entry for path, _, _ in stamps for entry in _read(path))
    twice = [name for name, count in Counter(entry.id for entry in found).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"The classifier {twice[0]!r} is declared twice in {stamps[0][0].parent}.",
            next_step="Remove one of them, or give it another id.",
        )
    return found


def _read(path: Path) -> list[Classifier]:
    try:
        return custom.from_yaml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"The classifiers {path} cannot be read: {fault}.") from None
    except InvalidInput as fault:
        raise InvalidInput(
            f"The classifiers {path} cannot be used. {fault.message}",
            next_step=fault.next_step,
            faults=fault.faults,
        ) from fault

"""Classifiers of a workspace's own: measured before they are kept."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, Racine, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from racine.governance.classifications.measuring import Collision
from services import classifiers
from services.classifiers import OwnClassifier

router = APIRouter(prefix="/api/classifications/classifiers", tags=["classifications"])

_ENTRY: dict[str, Any] = {
    "id": "staff_badge",
    "headers": ["badge", "badge number"],
    "pattern": "B-[0-9]{4}-[KLM]",
    "examples": {"match": ["B-1204-K"], "reject": ["B-12-K"]},
}


class MeasureRequest(BaseModel):
    """Declarations as in a YAML file of classifiers; `python` is for files alone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"entries": [_ENTRY]}})
    entries: list[dict[str, Any]] = Field(min_length=1, max_length=20)


class ClassifierRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"entry": _ENTRY}})
    entry: dict[str, Any]


class MeasuredAnswer(BaseModel):
    """What a classifier accepts by chance, and who accepts whose values."""

    model_config = ConfigDict(from_attributes=True)

    chance_rates: dict[str, dict[str, float]]
    """Classifier -> null model -> share of its values that are accepted."""
    collisions: list[Collision]
    failures: list[str]
    """Own examples that are judged otherwise than stated: nothing with one is saved."""


class ClassifierAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    entry: dict[str, Any]
    changed_by: str
    updated_at: AwareDatetime


class SavedAnswer(BaseModel):
    classifier: ClassifierAnswer
    measured: MeasuredAnswer


@router.get("", operation_id="list_own_classifiers")
def listing(
    me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[ClassifierAnswer]:
    """List the workspace's own classifiers, newest first."""
    found = classifiers.listed(session, me, limit=limit, cursor=cursor)
    return Items(items=[_answer(c) for c in found.items], next_cursor=found.next_cursor)


@router.post("/measure", operation_id="measure_classifiers")
def measure(body: MeasureRequest, me: Me, racine: Racine, session: ReadSession) -> MeasuredAnswer:
    """Tell what classifiers accept by chance and whom they meet, before any is kept."""
    found = classifiers.measure(session, me, racine.settings, body.entries)
    return MeasuredAnswer.model_validate(found)


@router.get("/{name}", operation_id="get_own_classifier")
def get(name: str, me: Me, session: ReadSession) -> ClassifierAnswer:
    """Return one of the workspace's own classifiers."""
    return _answer(classifiers.get(session, me, name))


@router.put("/{name}", operation_id="put_classifier")
def put(
    name: str, body: ClassifierRequest, me: Me, racine: Racine, session: WriteSession
) -> SavedAnswer:
    """Keep a classifier under its id; the next scan uses it."""
    kept, found = classifiers.put(session, me, racine.settings, name, body.entry)
    return SavedAnswer(classifier=_answer(kept), measured=MeasuredAnswer.model_validate(found))


@router.delete("/{name}", operation_id="delete_classifier", status_code=status.HTTP_204_NO_CONTENT)
def delete(name: str, me: Me, session: WriteSession) -> None:
    """Remove a classifier; people's decisions on what it found stay."""
    classifiers.delete(session, me, name)


def _answer(found: OwnClassifier) -> ClassifierAnswer:
    return ClassifierAnswer.model_validate(found)

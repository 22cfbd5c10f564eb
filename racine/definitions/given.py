"""What a task is given once its templates are resolved, checked as its document part has it."""

from typing import Any, TypeVar

from pydantic import ValidationError

from racine.definitions.parts import Part
from racine.definitions.schemas import pointer_of
from racine.errors import InvalidInput

PartT = TypeVar("PartT", bound=Part)


def parsed(part: type[PartT], kind: str, given: dict[str, Any]) -> PartT:
    """Return the typed part; raise InvalidInput with every place that does not fit, no value."""
    try:
        return part.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        places = "; ".join(f"{pointer_of(f['loc'])}: {f['msg']}" for f in faults)
        raise InvalidInput(f"The {kind} does not fit once resolved: {places}.") from None

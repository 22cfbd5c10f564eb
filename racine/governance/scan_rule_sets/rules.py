"""What a rule set holds: which assets, how much of them, which classifiers and thresholds."""

from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from racine.errors import Fault, InvalidInput
from racine.governance.scan_rule_sets.patterns import Selection
from racine.group import Payload


class Budget(Payload):
    """Ceilings of one scan; what lies beyond them is told on the asset, never passed over."""

    rows: int | None = Field(default=None, ge=1)
    """Rows read from one asset."""
    seconds: float | None = Field(default=None, gt=0)
    """Seconds spent on one asset."""


class Rules(Payload):
    """The content of one version of a scan rule set."""

    include: tuple[str, ...] = ("**",)
    exclude: tuple[str, ...] = ()
    sample: int | Literal["all"] = 1000
    """Rows taken across the whole asset; 1,000 tell a column's type to about three per cent."""
    budget: Budget = Budget(seconds=300)
    packs: tuple[str, ...] = ()
    """Classifier packs that take part; empty for every pack."""
    disabled: tuple[str, ...] = ()
    """Classifiers, by id or kind, that take no part."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """Confidence from which a classifier, by id or kind, counts; between 0 and 1."""

    @field_validator("sample")
    @classmethod
    def _some_rows(cls, value: int | str) -> int | str:
        if isinstance(value, int) and not 1 <= value <= 10_000_000:
            raise ValueError("a sample has between 1 and 10,000,000 rows")
        return value

    @field_validator("thresholds")
    @classmethod
    def _shares(cls, value: dict[str, float]) -> dict[str, float]:
        if any(not 0 <= share <= 1 for share in value.values()):
            raise ValueError("a threshold lies between 0 and 1")
        return value

    @property
    def sample_rows(self) -> int | None:
        return None if self.sample == "all" else int(self.sample)

    def selection(self) -> Selection:
        return Selection(self.include, self.exclude)


SYSTEM = Rules()
"""The system's own rule set: every asset, a sample of 1,000 rows, every classifier."""


def parse(content: Any) -> Rules:
    """Return the rules of a JSON document; raise InvalidInput naming every fault by its pointer."""
    try:
        rules = Rules.model_validate(content)
    except ValidationError as error:
        faults = [
            Fault("/" + "/".join(map(str, e["loc"])), e["msg"], code=e["type"])
            for e in error.errors(include_url=False)
        ]
        raise InvalidInput(
            "The rule set has faults.",
            next_step="; ".join(f"{f.pointer}: {f.message}" for f in faults[:10]),
            faults=faults,
        ) from None
    rules.selection()
    return rules


def diff(before: Rules, after: Rules) -> list[dict[str, Any]]:
    """Return what changed, field by field: the old value and the new one."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [
        {"field": field, "before": old[field], "after": new[field]}
        for field in old
        if old[field] != new[field]
    ]

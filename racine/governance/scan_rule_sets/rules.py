"""What a rule set holds: which assets, how much of them, which classifiers and thresholds."""

from collections.abc import Mapping
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import Field, ValidationError, field_validator

from racine.errors import Fault, InvalidInput
from racine.governance.scan_rule_sets.patterns import Selection
from racine.group import Payload

_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class Budget(Payload):
    """Ceilings of one scan; what lies beyond them is told on the asset, never passed over."""

    rows: int | None = Field(default=None, ge=1)
    """Rows read from one asset."""
    seconds: float | None = Field(default=None, gt=0)
    """Seconds spent on one asset."""


class SourceBudget(Payload):
    """Ceilings of one scan over the whole source; what they leave out comes first next time."""

    rows: int | None = Field(default=None, ge=1)
    bytes: int | None = Field(default=None, ge=1)
    """Bytes of text read, as judged from some values of each batch."""
    seconds: float | None = Field(default=None, gt=0)
    """Seconds spent reading; waiting for a window does not count."""
    connections: int | None = Field(default=None, ge=1, le=100)
    """Scans that read the source at the same time."""
    rows_per_second: float | None = Field(default=None, gt=0)


class Window(Payload):
    """Hours of the day in which the source may be read; past midnight where `end` comes first."""

    start: str = Field(pattern=_CLOCK)
    end: str = Field(pattern=_CLOCK)
    time_zone: str = "UTC"
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    """Days on which a window begins; none for every day."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no time zone {value!r}")
        return value


class PlanRules(Payload):
    """Which assets a scan reads again."""

    mode: Literal["full", "changed", "watermark", "schema", "age"] = "changed"
    """`changed` reads what its change marker says; `watermark` then only the newer rows; `schema`
    what has other columns; `age` what was read `older_than_days` ago; `full` everything."""
    older_than_days: float = Field(default=7, gt=0)
    watermark: str = ""
    """Column, of a number or date, that is greater in newer rows."""


_OWN = ("sample", "budget", "packs", "disabled", "thresholds", "plan")
"""What an override may say of some assets."""


class Override(Payload):
    """Other rules for some assets."""

    assets: tuple[str, ...] = Field(min_length=1)
    """Patterns as in `include`."""
    rules: dict[str, Any]

    @field_validator("rules")
    @classmethod
    def _only_own(cls, value: dict[str, Any]) -> dict[str, Any]:
        if foreign := sorted(value.keys() - set(_OWN)):
            raise ValueError(f"an override says {', '.join(_OWN)}, not {foreign[0]}")
        Rules.model_validate(value)
        return value


class Rules(Payload):
    """The content of one version of a scan rule set; what it leaves out is inherited."""

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
    plan: PlanRules = PlanRules()
    source_budget: SourceBudget = SourceBudget()
    window: Window | None = None
    overrides: tuple[Override, ...] = ()
    """Rules of some assets; of two that take in the same asset, the later one wins."""

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

    def for_asset(self, name: str) -> "Rules":
        """Return the rules of one asset: its overrides over the rest."""
        if not self.overrides:
            return self
        own = [o.rules for o in self.overrides if Selection(o.assets, ()).explain(name).included]
        return layered(self.model_dump(mode="json", exclude_unset=True), *own) if own else self


def layered(*contents: Mapping[str, Any]) -> Rules:
    """Return the rules that documents make of which each inherits what it does not say.

    The last one is the most special. Thresholds and the parts of a budget or plan are inherited one
    by one, overrides add up, all else is replaced. Raises InvalidInput as `parse` does.
    """
    whole: dict[str, Any] = {}
    for content in contents:
        for name, value in content.items():
            old = whole.get(name)
            if name == "overrides":
                whole[name] = [*(old or ()), *value]
            elif name in _BY_PART and isinstance(old, dict):
                whole[name] = {**old, **value}
            else:
                whole[name] = value
    return parse(whole)


_BY_PART = frozenset({"thresholds", "budget", "source_budget", "plan"})

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
    for override in rules.overrides:
        Selection(override.assets, ())
    return rules


def diff(before: Rules, after: Rules) -> list[dict[str, Any]]:
    """Return what changed, field by field: the old value and the new one."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [
        {"field": field, "before": old[field], "after": new[field]}
        for field in old
        if old[field] != new[field]
    ]

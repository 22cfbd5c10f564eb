"""What is kept of a column's values: counts, shapes and ranges, and never a value."""

from pydantic import BaseModel, ConfigDict, Field

EVIDENCE_VERSION = 1


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Numbers(Frozen):
    """The column's numbers: how many, and a range rounded to two significant digits."""

    count: int
    integers: int
    negatives: int
    decimals: float
    """Mean number of digits after the point."""
    minimum: float
    median: float
    maximum: float
    opening: float = 0.0
    """Share of the values that begin with the commonest first digit: numbers of one country or
    one series do, random ones do not."""
    sequential: bool
    """Whole numbers that nearly fill their range, as a surrogate key does."""


class Dates(Frozen):
    """The column's dates: how many, with a time of day, and the spread of years."""

    count: int
    timed: int
    years: tuple[int, int, int, int, int]
    """First, 10 %, median, 90 % and last year."""
    firsts: int
    """Dates on the first day of a month or year, as planned dates and truncated ones are."""


class Evidence(Frozen):
    """Value-free evidence of one column, enough to decide again without reading it."""

    version: int = EVIDENCE_VERSION
    rows: int = 0
    """Values that are neither null nor a placeholder, repetitions counted."""
    placeholders: int = 0
    """Rows that hold a placeholder such as `n/a` or `unknown`."""
    distinct: int = 0
    sampled: int = 0
    """Distinct values that the detectors read, spread over the whole column."""
    hits: dict[str, int] = Field(default_factory=dict)
    """Detector or classifier id -> sampled distinct values it accepts."""
    tried: dict[str, int] = Field(default_factory=dict)
    """Values put to a detector that gave up early; absent where it read the whole sample."""
    spans: dict[str, int] = Field(default_factory=dict)
    """Detector id -> distinct values of free text that contain such a span."""
    shapes: dict[str, int] = Field(default_factory=dict)
    """Masked shape (9 digit, A or a letter) -> distinct values; only shapes that repeat."""
    length: tuple[int, float, int] = (0, 0.0, 0)
    """Shortest, mean and longest value in characters."""
    words: float = 0.0
    """Mean number of words a value."""
    recurring: float = 0.0
    """Share of the values that hold the word which most of them share."""
    characters: dict[str, float] = Field(default_factory=dict)
    """Share of digits, upper, lower, other letters, blanks and signs among all characters."""
    numbers: Numbers | None = None
    dates: Dates | None = None


class ColumnEvidence(Frozen):
    """A column as a scan found it: its header, declared type, keys and evidence."""

    name: str
    type: str = ""
    evidence: Evidence | None = None
    primary_key: bool = False
    foreign_key: str = ""
    """`table.column` that this column points at, where declared or found."""


class TableEvidence(Frozen):
    """A table as a scan found it."""

    name: str = ""
    columns: tuple[ColumnEvidence, ...] = ()


class ClassifySettings(Frozen):
    """Thresholds and packs of one rule set."""

    packs: tuple[str, ...] = ()
    """Packs whose classifiers may answer; empty means every pack."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """Kind or classifier id -> confidence it must reach, in place of the model's own."""
    disabled: tuple[str, ...] = ()
    """Kinds or classifier ids that never answer."""


class Explanation(Frozen):
    """Why, by source of evidence, each in log-odds added, and in one sentence."""

    name: float = 0.0
    values: float = 0.0
    context: float = 0.0
    words: str = ""


class Classification(Frozen):
    """A kind that a column holds (or may hold), with calibrated confidence."""

    id: str
    kind: str
    confidence: float
    mode: str = "is"
    """`is`: the column holds it; `contains`: free text in which it occurs."""
    evidence: Explanation
    detector_version: str


class ColumnVerdict(Frozen):
    """What a column holds: classifications above threshold and candidates below it, best first."""

    name: str
    sensitivity: str = "public"
    classifications: tuple[Classification, ...] = ()
    candidates: tuple[Classification, ...] = ()

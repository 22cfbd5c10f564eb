"""Evidence of parts of a column taken together: chunks of a table, or old rows and new ones."""

from collections import Counter
from collections.abc import Mapping

from racine.governance.classifications.evidence import Dates, Evidence, Numbers

_SHAPES = 60


def together(first: Evidence, second: Evidence, distinct: int) -> Evidence:
    """Return the evidence of two parts of one column that has so many distinct values in all.

    Counts add up. A value that both parts read would count twice: where more were read than there
    are, all counts shrink alike, so that each share stays what the parts have together. Medians,
    the years between first and last, and what part of the values the commonest word or first digit
    has are weighted means.
    """
    if not first.sampled or not second.sampled:
        return _with_empty(first, second)
    read = first.sampled + second.sampled
    scale = min(1.0, distinct / read) if distinct else 1.0
    share = first.sampled / read
    # A detector that gave up early in one part has been put to the values of both by number.
    tried = {
        name: first.tried.get(name, first.sampled) + second.tried.get(name, second.sampled)
        for name in {*first.tried, *second.tried}
    }
    return Evidence(
        rows=first.rows + second.rows,
        placeholders=first.placeholders + second.placeholders,
        distinct=max(distinct, first.distinct, second.distinct),
        sampled=max(1, round(read * scale)),
        hits=_added(first.hits, second.hits, scale),
        tried={name: max(1, round(count * scale)) for name, count in sorted(tried.items())},
        spans=_added(first.spans, second.spans, scale),
        shapes=dict(
            Counter(_added(first.shapes, second.shapes, scale)).most_common(_SHAPES)
        ),
        length=(
            min(first.length[0], second.length[0]),
            round(_mean(first.length[1], second.length[1], share), 2),
            max(first.length[2], second.length[2]),
        ),
        words=round(_mean(first.words, second.words, share), 2),
        recurring=round(_mean(first.recurring, second.recurring, share), 2),
        characters=_shares(first.characters, second.characters, share),
        numbers=_numbers(first.numbers, second.numbers, scale),
        dates=_dates(first.dates, second.dates, scale),
    )  # fmt: skip


def _with_empty(first: Evidence, second: Evidence) -> Evidence:
    full, other = (first, second) if first.sampled else (second, first)
    return full.model_copy(
        update={
            "rows": full.rows + other.rows,
            "placeholders": full.placeholders + other.placeholders,
        }
    )


def _mean(first: float, second: float, share: float) -> float:
    return first * share + second * (1 - share)


def _added(first: Mapping[str, int], second: Mapping[str, int], scale: float) -> dict[str, int]:
    added = Counter(first) + Counter(second)
    return {name: max(1, round(count * scale)) for name, count in sorted(added.items())}


def _shares(
    first: Mapping[str, float], second: Mapping[str, float], share: float
) -> dict[str, float]:
    names = sorted({*first, *second})
    return {n: round(_mean(first.get(n, 0.0), second.get(n, 0.0), share), 3) for n in names}


def _numbers(first: Numbers | None, second: Numbers | None, scale: float) -> Numbers | None:
    if first is None or second is None:
        return first or second
    count = first.count + second.count
    share = first.count / count
    return Numbers(
        count=max(1, round(count * scale)),
        integers=round((first.integers + second.integers) * scale),
        negatives=round((first.negatives + second.negatives) * scale),
        decimals=round(_mean(first.decimals, second.decimals, share), 2),
        minimum=min(first.minimum, second.minimum),
        median=float(f"{_mean(first.median, second.median, share):.2g}"),
        maximum=max(first.maximum, second.maximum),
        opening=round(_mean(first.opening, second.opening, share), 2),
        sequential=first.sequential and second.sequential,
    )


def _dates(first: Dates | None, second: Dates | None, scale: float) -> Dates | None:
    if first is None or second is None:
        return first or second
    count = first.count + second.count
    share = first.count / count
    inner = [round(_mean(a, b, share)) for a, b in zip(first.years, second.years, strict=True)]
    return Dates(
        count=max(1, round(count * scale)),
        timed=round((first.timed + second.timed) * scale),
        years=(
            min(first.years[0], second.years[0]), inner[1], inner[2], inner[3],
            max(first.years[4], second.years[4]),
        ),
        firsts=round((first.firsts + second.firsts) * scale),
    )  # fmt: skip

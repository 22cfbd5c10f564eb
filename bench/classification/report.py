"""The measured figures as text, and where the guide keeps them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bench.classification.labelled import CORE, EXTENDED
from bench.classification.scoring import Measured, Score

GUIDE = Path("docs/guide/accuracy.md")
Part = Literal["shipped", "unseen", "peers"]


def summary(score: Score) -> dict[str, Any]:
    """Return the figures of one set for machines."""
    core, extended = score.micro(CORE), score.micro(EXTENDED)
    return {
        "core": dict(zip(("precision", "recall", "f1", "columns"), _rounded(core), strict=True)),
        "ext": dict(zip(("precision", "recall", "f1", "columns"), _rounded(extended), strict=True)),
        "alarms": score.alarms,
        "look_alikes": score.traps,
    }


def _rounded(found: tuple[float, float, float, int]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in found)


def markdown(results: Mapping[str, Measured], *, folds: int) -> str:
    """Return all tables of one measurement as Markdown."""
    parts = [_totals(results)]
    for name, measured in results.items():
        if "default packs" not in name and "learned from" not in name:
            parts += [
                f"### {name.capitalize()}",
                _kinds(measured.score),
                _confusion(measured.score),
            ]
            parts.append(_calibration(measured.confidences))
    return "\n\n".join(parts) + "\n"


def _totals(results: Mapping[str, Measured]) -> str:
    lines = [
        "| tables | CORE F1 (P/R) | EXT F1 (P/R) | columns CORE / EXT | look-alikes flagged |",
        "|---|---|---|---|---|",
    ]
    for name, measured in results.items():
        core, extended = measured.score.micro(CORE), measured.score.micro(EXTENDED)
        lines.append(
            f"| {name} | {_f1(core)} | {_f1(extended)} | {core[3]} / {extended[3]} "
            f"| {measured.score.alarms} of {measured.score.traps} |"
        )
    return "\n".join(lines)


def _f1(found: tuple[float, float, float, int]) -> str:
    precision, recall, f1, columns = found
    return f"{f1:.3f} ({precision:.2f}/{recall:.2f})" if columns else "none"


def _kinds(score: Score) -> str:
    lines = ["| kind | precision | recall | F1 | columns |", "|---|---|---|---|---|"]
    for kind in EXTENDED:
        precision, recall, f1, columns = score.micro([kind])
        if columns or score.wrong[kind]:
            lines.append(f"| {kind} | {precision:.2f} | {recall:.2f} | {f1:.2f} | {columns} |")
    return "\n".join(lines)


def _confusion(score: Score) -> str:
    worst = sorted(score.confusion.items(), key=lambda pair: -pair[1])[:12]
    told = ", ".join(f"{gold} as {said} {count}" for (gold, said), count in worst)
    return f"Mistaken most often: {told or 'nothing'}."


def _calibration(confidences: Sequence[tuple[float, bool]]) -> str:
    lines = ["| confidence | answers | right |", "|---|---|---|"]
    for low, high in ((0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.99), (0.99, 1.01)):
        inside = [good for c, good in confidences if low <= c < high]
        if inside:
            share = sum(inside) / len(inside)
            lines.append(f"| {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {share:.0%} |")
    return "\n".join(lines)


def write(text: str, part: Part) -> None:
    """Put a part's tables between its marks in the guide."""
    first, last = f"<!-- {part} -->", f"<!-- /{part} -->"
    before, _, rest = GUIDE.read_text("utf-8").partition(first)
    _, _, after = rest.partition(last)
    GUIDE.write_text(f"{before}{first}\n{text.strip()}\n{last}{after}", "utf-8")

"""The measured figures as text, and where the guide keeps them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from bench.classification.labelled import CORE, EXTENDED
from bench.classification.scoring import Measured, Score

GUIDE = Path("docs/guide/accuracy.md")
Part = Literal["shipped", "unseen", "peers", "speed"]


def summary(measured: Measured) -> dict[str, Any]:
    """Return the figures of one set for machines."""
    score = measured.score
    core, extended = score.micro(CORE), score.micro(EXTENDED)
    return {
        "core": dict(zip(("precision", "recall", "f1", "columns"), _rounded(core), strict=True)),
        "ext": dict(zip(("precision", "recall", "f1", "columns"), _rounded(extended), strict=True)),
        "alarms": score.alarms,
        "look_alikes": score.traps,
        "calibration_error": round(measured.calibration_error, 4),
    }


def _rounded(found: tuple[float, float, float, int]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in found)


def markdown(results: Mapping[str, Measured], *, folds: int) -> str:
    """Return all tables of one measurement as Markdown."""
    parts = [_totals(results)]
    for name, measured in results.items():
        if (
            not name.endswith(("every pack named", "four packs only"))
            and "learned from" not in name
        ):
            parts += [
                f"### {name.capitalize()}",
                _kinds(measured.score),
                _confusion(measured.score),
            ]
            parts.append(_calibration(measured))
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


def _calibration(measured: Measured) -> str:
    lines = [
        f"Expected calibration error {measured.calibration_error:.3f} "
        f"over {len(measured.confidences)} ranked types.\n",
        "| confidence | types ranked | mean confidence | right |",
        "|---|---|---|---|",
    ]
    for low, high in ((0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.99), (0.99, 1.01)):
        inside = [(c, good) for c, good in measured.confidences if low <= c < high]
        if inside:
            mean, share = (sum(found) / len(inside) for found in zip(*inside, strict=True))
            span = f"{low:.2f} to {min(high, 1):.2f}"
            lines.append(f"| {span} | {len(inside)} | {mean:.2f} | {share:.0%} |")
    return "\n".join(lines)


def read(part: Part) -> str:
    """Return what stands between a part's marks in the guide."""
    _, _, rest = GUIDE.read_text("utf-8").partition(f"<!-- {part} -->\n")
    return rest.partition(f"<!-- /{part} -->")[0]


def write(text: str, part: Part) -> None:
    """Put a part's tables between its marks in the guide."""
    first, last = f"<!-- {part} -->", f"<!-- /{part} -->"
    before, _, rest = GUIDE.read_text("utf-8").partition(first)
    _, _, after = rest.partition(last)
    GUIDE.write_text(f"{before}{first}\n{text.strip()}\n{last}{after}", "utf-8")

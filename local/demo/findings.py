"""Asks the API what the runs have brought to light."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from local.demo.runs import Json, Run
from racine.client import Client

_VERDICTS = "/api/classifications/verdicts"
_FINDINGS = "/api/compliance-rules/findings"
_ASSETS = "/api/advanced-catalog/assets"
_SEVERITIES = ("critical", "high", "medium", "low")
_PAGE = 200


@dataclass(frozen=True)
class Classified:
    """One kind of data: where it is, and the surest of its columns with masked evidence."""

    kind: str
    sensitivity: str
    columns: int
    surest: str
    confidence: float
    words: str
    shape: str


def classified(racine: Client, runs: Iterable[Run]) -> list[Classified]:
    """Return the kinds that were found, most columns first."""
    by_kind: dict[str, list[Json]] = defaultdict(list)
    for run in runs:
        for verdict in racine.items(_VERDICTS, source_id=run.source_id, limit=_PAGE):
            if verdict["applied"]:
                by_kind[verdict["kind"]].append(verdict)
    ordered = sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0]))
    return [_summed_up(racine, kind, verdicts) for kind, verdicts in ordered]


def _summed_up(racine: Client, kind: str, verdicts: list[Json]) -> Classified:
    # A column that is of the kind tells more than a text that only contains some.
    surest = max(verdicts, key=lambda v: (v["evidence"]["mode"] == "is", v["confidence"]))
    column = racine.get(f"{_ASSETS}/{surest['column_id']}")
    shapes = column["stats"].get("profile", {}).get("patterns", [])
    return Classified(
        kind=kind,
        sensitivity=surest["sensitivity"],
        columns=len(verdicts),
        surest=f"{surest['asset_name']}.{surest['column_name']}",
        confidence=surest["confidence"],
        words=surest["evidence"]["words"],
        shape=shapes[0]["shape"] if shapes else "",
    )


def failures(racine: Client, runs: Iterable[Run], **wanted: str) -> dict[str, list[Json]]:
    """Return the open failed findings by framework, the worst first."""
    found: dict[str, list[Json]] = defaultdict(list)
    for run in runs:
        asked = {"state": "open", "result": "fail", "limit": _PAGE} | wanted
        for finding in racine.items(_FINDINGS, source_id=run.source_id, **asked):
            found[finding["framework"]].append(finding | {"source": run.source.name})
    for findings in found.values():
        findings.sort(key=lambda f: (_SEVERITIES.index(f["severity"]), f["control"], f["subject"]))
    return dict(sorted(found.items(), key=lambda item: _SEVERITIES.index(item[1][0]["severity"])))


def undecided(racine: Client) -> dict[str, int]:
    """Return how many checks of each framework lack a fact to decide by."""
    scores = racine.get("/api/compliance-rules/scores")["items"]
    return {score["framework"]: score["unknown"] for score in scores}


def plan(racine: Client, run: Run) -> list[Json]:
    """Return the remediation steps that would close something, in their order."""
    steps = racine.get("/api/compliance-rules/remediation-plan", source_id=run.source_id)["steps"]
    return [step for step in steps if step["closes"]]


def assets(racine: Client) -> dict[tuple[str, str], int]:
    """Return how many assets the catalog holds of each kind and sensitivity."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for asset in racine.items(_ASSETS, limit=_PAGE):
        counted[asset["kind"], asset["sensitivity"]] += 1
    return dict(counted)


def monitoring(racine: Client, run: Run) -> tuple[Json, str]:
    """Return the schedule that the run has left for its source, and its next time."""
    path = f"/api/racine/schedules/{run.outputs['schedule_id']}"
    return racine.get(path), racine.get(f"{path}/preview", count=1)["times"][0]


def only_table(racine: Client, table: str) -> str:
    """Store a rule set that lets a scan read one table alone; return its id."""
    body = {"name": f"only {table}", "rules": {"include": [table]}}
    return str(racine.post("/api/scan-rule-sets", body)["id"])

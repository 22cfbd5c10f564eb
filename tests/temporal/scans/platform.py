"""What tests do with a running platform: sources, scans of them, and orders to the scans."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from models.stores import rule_sets
from models.tables.scans import Scan, ScanAsset, ScanProgress
from racine import templates
from tests.eventually import eventually
from tests.temporal.conftest import Stack

_RUNS, _SCANS = "/api/racine/workflows", "/api/scan-logic/scans"
OPEN = ("queued", "scheduled", "running", "paused")


@dataclass
class Platform:
    """One workspace, asked over HTTP."""

    stack: Stack
    http: httpx.Client

    def rules(self, **content: Any) -> None:
        """Make these the rules of every scan in the workspace."""
        workspace = self.stack.actor.workspace_id
        with self.stack.db.write() as session:
            rule_sets.save(session, workspace, "default", content, "usr_system")

    def source(self, kind: str, location: str, name: str = "shop", **more: Any) -> str:
        body = {"name": name, "kind": kind, "location": location, **more}
        return str(self.post("/api/data-sources", body)["id"])

    def use_key(self) -> None:
        """Go on with a key, as what takes longer than a quarter of an hour has to."""
        key = self.post("/api/auth/keys", {"name": "long", "permissions": ["*:*"]})["key"]
        self.http.headers["Authorization"] = f"Bearer {key}"

    def scan(self, source_id: str, **given: Any) -> "RunningScan":
        """Order a scan of a source as users do."""
        run_id = self.post(f"/api/data-sources/{source_id}/scan", given)["run_id"]
        return RunningScan(self, str(run_id))

    def scan_with_cleanup(self, source_id: str) -> "RunningScan":
        """Run a job that scans a source and cleans up in the end, however that is."""
        clean = {"task_key": "clean", "operation_task": {"operation": "racine.noop"}}
        return self.scan_as({"finally": [clean]}, source_id)

    def scan_as(self, more: dict[str, Any], source_id: str) -> "RunningScan":
        """Run the job that scans, with more in its document."""
        document = templates.load("scan_source") | {"name": "scan_otherwise", **more}
        job_id = self.post(_RUNS, {"document": document})["id"]
        given = {"parameters": {"source_id": source_id}}
        return RunningScan(self, str(self.post(f"{_RUNS}/{job_id}/execute", given)["id"]))

    def catalog(self) -> dict[str, dict[str, Any]]:
        """Return what the catalog holds, by qualified name."""
        found = self.get("/api/advanced-catalog/assets", limit=200)["items"]
        return {item["qualified_name"]: item for item in found}

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.post(path, json=body or {})
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(path, params=query)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class RunningScan:
    """A run that scans one source."""

    platform: Platform
    run_id: str

    def run(self) -> dict[str, Any]:
        return self.platform.get(f"{_RUNS}/executions/{self.run_id}")

    def events(self) -> list[tuple[str, str]]:
        """Return task and kind of every event, once the run's log is closed."""
        return self.platform.stack.events(self.run_id)

    def detail(self) -> dict[str, Any] | None:
        """Return the run's scan, once it has been opened."""
        for found in self.platform.get(_SCANS)["items"]:
            if found["run_id"] == self.run_id:
                return self.platform.get(f"{_SCANS}/{found['id']}")
        return None

    def spent(self, what: str) -> float:
        """Return the `rows`, `bytes` or `seconds` that the scan has cost, as far as it was kept."""
        return float((self.detail() or {}).get("spent", {}).get(what, 0))

    def parts(self) -> int:
        """Return after how many chunks the reading of its assets stands, where it is kept."""
        with self.platform.stack.db.read() as session:
            of_scan = select(ScanAsset.id).join(Scan).where(Scan.run_id == self.run_id)
            kept = select(ScanProgress.chunks).where(ScanProgress.asset_id.in_(of_scan))
            return sum(session.scalars(kept))

    @property
    def id(self) -> str:
        found = self.detail()
        assert found is not None
        return str(found["id"])

    def assets(self) -> dict[str, dict[str, Any]]:
        """Return the scan's assets by their last name."""
        found = self.platform.get(f"{_SCANS}/{self.id}/assets", limit=200)["items"]
        return {asset["name"].rpartition(".")[2]: asset for asset in found}

    def taken(self) -> dict[str, str]:
        """Return the states of the assets that the rules take in."""
        states = {name: asset["state"] for name, asset in self.assets().items()}
        return {name: state for name, state in states.items() if state != "excluded"}

    def reading_order(self) -> list[str]:
        """Return the assets in the order in which they are, or were, read."""
        found = [(-a["plan"]["score"], name) for name, a in self.assets().items() if a["plan"]]
        return [name for _, name in sorted(found)]

    def columns(self, asset: str) -> dict[str, dict[str, Any]]:
        place = f"{_SCANS}/{self.id}/assets/{self.assets()[asset]['id']}"
        return {column["name"]: column for column in self.platform.get(place)["columns"]}

    def reads(self) -> "RunningScan":
        """Wait until it reads."""
        eventually(lambda: (self.detail() or {}).get("state") == "scanning", "the scan reads")
        return self

    def order(self, verb: str, **body: Any) -> dict[str, Any]:
        return self.platform.post(f"{_SCANS}/{self.id}/{verb}", body)

    def throttled_no_more(self) -> None:
        """Lift the throttle, once an attempt reads: between two the scan takes no order."""
        path = f"{_SCANS}/{self.id}/throttle"
        body = {"rows_per_second": 1e9}
        eventually(
            lambda: self.platform.http.post(path, json=body).is_success, "it takes the order"
        )

    def waits_for(self) -> str:
        """Return what the last failed attempts of its open tasks said."""
        status = self.platform.get(f"{_RUNS}/executions/{self.run_id}/status")
        return " ".join(task["last_error"] for task in status["pending"])

    def cancel_asset(self, name: str) -> None:
        self.order(f"assets/{self.assets()[name]['id']}/cancel")

    def cancel(self) -> None:
        """Cancel the whole run, as `racine scans cancel` does."""
        self.platform.post(f"{_RUNS}/executions/{self.run_id}/control", {"action": "cancel"})

    def ended(self, state: str = "completed", seconds: float = 90) -> "RunningScan":
        """Wait until the run has ended in a state."""
        eventually(lambda: self.run()["state"] not in OPEN, "the run has ended", seconds)
        assert self.run()["state"] == state, self.run()
        return self

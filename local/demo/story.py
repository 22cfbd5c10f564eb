"""What the demo does, step by step."""

import time
from pathlib import Path

from local.demo import findings
from local.demo.report import Report
from local.demo.runs import Run, Source, govern, register_job, sign_in
from local.demo.stack import running_stack
from local.estate import Estate, make_estate
from local.estate.shop import truncate_cards
from local.exits import errors_told
from local.stack.state import StateFolder
from racine.client import Client
from racine.errors import Conflict
from services.bootstrap import ADMIN_EMAIL

_FAULT = {"control": "PCI-3.5.1", "subject": "payments.card_number"}
"""What is mended: card numbers that anybody who reads the table can read."""
_TABLE = "payments"


def demo(root: Path) -> None:
    """Govern a made-up estate; exit 1 with the reason when any step fails."""
    with errors_told():
        _tell(StateFolder(root), Report())


def _tell(state: StateFolder, report: Report) -> None:
    began = time.monotonic()
    state.refuse_foreign()
    state.make()
    with state.locked():
        state.empty()
    report.step("Making a shop's database and a folder of files …")
    estate = make_estate(state.root / "estate")
    report.step("Starting Temporal, the API and the workers …")
    with running_stack(state) as running:
        password = state.password_file.read_text().strip()
        with sign_in(running.api, ADMIN_EMAIL, password) as racine:
            register_job(racine)
            _govern(racine, estate, report)
    report.end(time.monotonic() - began, state.root)


def _govern(racine: Client, estate: Estate, report: Report) -> None:
    shop = Source("shop", "sqlite", estate.shop)
    runs: list[Run] = []
    for source in (shop, Source("shop_files", "files", estate.files)):
        report.step(f"Governing {source.name} …")
        runs.append(govern(racine, source))
    report.sources(runs)
    report.classified(findings.classified(racine, runs))
    report.findings(findings.failures(racine, runs), findings.undecided(racine))
    for run in runs:
        report.plan(run, findings.plan(racine, run))
    report.catalog(findings.assets(racine))
    for run in runs:
        report.schedule(*findings.monitoring(racine, run))
    for run in runs:
        report.timeline(run)
    _mend(racine, shop, runs[0], report)


def _mend(racine: Client, shop: Source, before: Run, report: Report) -> None:
    """Mend one finding in the estate, scan its table again, and see the finding closed."""
    fault = _fault(racine, before)
    changed = truncate_cards(shop.location)
    report.step(f"Truncated {changed} card numbers in the shop; scanning {_TABLE} again …")
    only = findings.only_table(racine, _TABLE)
    # The nightly run goes on over the whole source.
    again = govern(racine, shop, rule_set=only, monitor_cron=None)
    after = racine.get(f"/api/compliance-rules/findings/{fault['id']}")
    if after["state"] != "closed":
        raise Conflict(
            f"The finding {fault['id']} is still {after['state']} after it was mended.",
            next_step=f"The run {again.id} shows why.",
        )
    report.closed(after)


def _fault(racine: Client, run: Run) -> dict[str, str]:
    for found in findings.failures(racine, [run], control=_FAULT["control"]).values():
        for finding in found:
            if finding["subject"] == _FAULT["subject"]:
                return finding
    raise Conflict(f"The run {run.id} did not find {_FAULT['control']} on {_FAULT['subject']}.")

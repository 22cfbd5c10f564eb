"""What the demo does, step by step."""

import time
from pathlib import Path

from local.demo.api import Api
from local.demo.report import Report
from local.demo.runs import Source, govern, register_job
from local.demo.stack import running_stack
from local.estate import make_estate
from local.exits import errors_told
from local.stack.state import StateFolder
from services.bootstrap import ADMIN_EMAIL


def demo(root: Path) -> None:
    """Govern a made-up estate; exit 1 with the reason when any step fails."""
    with errors_told():
        _tell(StateFolder(root))


def _tell(state: StateFolder) -> None:
    began, report = time.monotonic(), Report()
    state.refuse_foreign()
    state.make()
    with state.locked():
        state.empty()
    report.step("Making a shop's database and files …")
    estate = make_estate(state.root / "estate")
    sources = [
        Source("shop", "sqlite", estate.shop),
        Source("shop_files", "files", estate.files),
    ]
    report.step("Starting Temporal, the API and the workers …")
    with running_stack(state) as running:
        api = Api(running.api)
        api.sign_in(ADMIN_EMAIL, state.password_file.read_text().strip())
        job_id = register_job(api)
        for source in sources:
            report.step(f"Governing {source.name} …")
            report.timeline(govern(api, job_id, source))
        api.close()
    report.end(time.monotonic() - began, state.root)

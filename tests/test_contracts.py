"""Every import contract holds, and breaks when its violation is planted."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.stack import ROOT

_LAYERS = ("local", "tools", "api", "services", "workflows", "activities", "models", "racine")

PLANTED = [
    # contract, module that is planted, what it imports
    ("Imports point down", "racine/planted.py", "models.session"),
    ("Imports point down", "models/planted.py", "services.access"),
    ("Imports point down", "activities/planted.py", "workflows.job"),
    ("Imports point down", "services/planted.py", "api.app"),
    ("Imports point down", "api/planted.py", "tools.temporal.binary"),
    ("Imports point down", "tools/planted.py", "local.dev"),
    ("racine is pure", "racine/governance/planted.py", "sqlalchemy"),
    ("racine is pure", "racine/definitions/planted.py", "temporalio"),
    ("racine is pure", "racine/planted_client.py", "httpx"),
    ("racine is pure", "racine/engine/planted.py", "requests"),
    ("racine is pure", "racine/engine/planted_io.py", "socket"),
    ("racine is pure", "racine/planted_load.py", "psutil"),
    ("The wheel knows no composition root", "racine/cli/planted.py", "worker"),
    ("The engine and expressions are deterministic", "racine/engine/planted_clock.py", "datetime"),
    ("The engine and expressions are deterministic", "racine/engine/planted_dice.py", "random"),
    ("Groups do not know each other", "racine/governance/rbac/planted.py",
     "racine.governance.catalog"),
    ("Only stores touch tables", "services/planted_rows.py", "models.tables.runs"),
    ("Only stores touch tables", "activities/planted_rows.py", "models.tables.runs"),
    ("Workflows stay deterministic", "workflows/planted.py", "httpx"),
    ("Workflows stay deterministic", "workflows/planted_graph.py", "networkx"),
    ("Workflows stay deterministic", "workflows/planted_rows.py", "models.stores.runs"),
    ("Workflows know activities by name only", "workflows/planted_effect.py",
     "activities.catalog"),
    ("Routes go through services", "api/routes/planted.py", "models.stores.runs"),
    ("Routes leave Temporal to services", "api/routes/planted_client.py", "temporalio"),
    ("Services know no HTTP and perform no activity", "services/planted_http.py", "fastapi"),
    ("Services know no HTTP and perform no activity", "services/planted_effect.py",
     "activities.call"),
    ("No cycles between services", "services/access.py", "services.sign_in"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Plant everything in a copy of the tree; return what each broken contract tells."""
    copy = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for layer in _LAYERS:
        shutil.copytree(ROOT / layer, copy / layer, ignore=shutil.ignore_patterns("__pycache__"))
    for _, path, imported in PLANTED:
        with (copy / path).open("a") as file:
            file.write(f"\nimport {imported}\n")
    told = _lint(copy)
    assert told.returncode == 1, told.stdout
    broken = told.stdout.split("Broken contracts", 1)[1]
    parts = re.split(r"^(.+)\n-+\n\n", broken, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(("contract", "path", "imported"), PLANTED)
def test_a_planted_violation_breaks_its_contract(
    sections: dict[str, str], contract: str, path: str, imported: str
) -> None:
    # The cycle's report leaves the package out of its names.
    module, name = Path(path).stem, imported.rsplit(".", 1)[-1]
    assert re.search(rf"\b{module}\b.*-> .*\b{name}\b", sections[contract])


def test_the_tree_as_it_stands_keeps_every_contract() -> None:
    told = _lint(ROOT)
    assert told.returncode == 0, told.stdout
    names = re.findall(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    contracts = [name for name in names if name != "racine"]
    assert {contract for contract, _, _ in PLANTED} == set(contracts)


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in the folder; the safe path keeps it from importing our real tree."""
    run = "from importlinter.cli import lint_imports_command as c; c(['--no-cache', '--no-logo'])"
    return subprocess.run(
        [sys.executable, "-c", run], cwd=folder, capture_output=True, text=True, timeout=100
    )

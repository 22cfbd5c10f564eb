"""What the pages say is there: settings, files, commands, addresses."""

import re
import subprocess
from pathlib import Path

import pytest

from models.settings import Settings
from tests.local.stack import ROOT

_PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_every_setting_is_documented_and_nothing_else() -> None:
    page = (ROOT / "docs/guide/configuration.md").read_text()
    server, clients = page.split("The command line", 1)
    assert set(re.findall(r"^\| `RACINE_(\w+)`", server, re.MULTILINE)) == {
        name.upper() for name in Settings.model_fields
    }
    for name in re.findall(r"^\| `(RACINE_\w+)`", clients, re.MULTILINE):
        assert _mentions(name, "racine"), name


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        place, _, anchor = target.partition("#")
        if "://" in place:
            continue
        found = (page.parent / place).resolve() if place else page
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found), target


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert len(targets) <= 12
    named = {name for page in _PAGES for name in re.findall(r"`?make ([a-z-]+)`", page.read_text())}
    assert named <= targets


def test_every_variable_compose_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    example = (ROOT / ".env.example").read_text()
    assert asked == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


def test_decisions_are_numbered_and_whole() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        parts = re.findall(r"^\*\*(\w+)\.\*\*", path.read_text(), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], path.name


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _mentions(name: str, folder: str) -> bool:
    found = subprocess.run(["grep", "-rqw", name, ROOT / folder], check=False)
    return found.returncode == 0

"""Names in free text: a clear word where presidio is absent, and names found where it is there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ASK = """
import sys
from models.free_text import person_names
from racine.errors import InvalidInput
sys.modules.update(dict.fromkeys(sys.argv[2:]))
try:
    print(person_names(sys.argv[1]).kind)
except InvalidInput as error:
    print(error)
"""
"""A module that is None counts as not installed, in whatever environment the tests run."""

SCAN = """
import json, sys, warnings
from pathlib import Path
import spacy
pipeline = spacy.blank("en")
ruler = pipeline.add_pipe("entity_ruler")
names = ("Zaphod Beeblebrox", "Trillian Astra", "Ford Prefect")
ruler.add_patterns([{"label": "PERSON", "pattern": name} for name in names])
folder = Path(sys.argv[1])
pipeline.to_disk(folder / "pipeline")
from models import classifiers
from local.scan import WHOLE, scan_once
source = str(folder / "calls.csv")
print(json.dumps([
    scan_once(source, WHOLE, classifiers.load(None, model))
    for model in ("", str(folder / "pipeline"))
]))
"""


def test_asking_for_names_without_presidio_says_how_to_get_it() -> None:
    command = [sys.executable, "-c", ASK, "en_core_web_sm", "presidio_analyzer"]
    told = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    ).stdout
    assert "needs presidio, which is not installed" in told
    assert "uv sync --extra presidio" in told


@pytest.mark.slow
def test_names_in_free_text_are_found_with_the_extra_and_never_without_asking(
    tmp_path: Path,
) -> None:
    texts = [f"Call {n}: Zaphod Beeblebrox asked for the bill again" for n in range(4)]
    texts += [f"Call {n}: Trillian Astra moved the appointment" for n in range(4, 8)]
    texts += [f"Call {n}: nobody answered the telephone at all" for n in range(8, 30)]
    (tmp_path / "calls.csv").write_text("note\n" + "\n".join(texts) + "\n")
    with_extra = ["uv", "run", "--quiet", "--isolated", "--locked", "--extra", "presidio"]
    done = subprocess.run(
        [*with_extra, "python", "-c", SCAN, str(tmp_path)],
        capture_output=True, text=True, timeout=600, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    off, on = (report["assets"][0]["columns"][0] for report in json.loads(done.stdout))
    assert off["classifications"] == []
    (found,) = on["classifications"]
    assert (found["id"], found["kind"], found["mode"]) == (
        "person_name_in_text", "person_name", "contains",
    )  # fmt: skip
    assert found["evidence"]["words"] == "Name of a person stands in 8 of 30 texts."
    assert "Zaphod" not in done.stdout


@pytest.mark.slow
def test_a_pipeline_that_is_not_there_is_refused_and_never_downloaded() -> None:
    with_extra = ["uv", "run", "--quiet", "--isolated", "--locked", "--extra", "presidio"]
    done = subprocess.run(
        [*with_extra, "python", "-c", ASK, "xx_no_such_pipeline"],
        capture_output=True, text=True, timeout=600, check=True, cwd=ROOT,
    )  # fmt: skip
    assert "There is no spaCy pipeline xx_no_such_pipeline" in done.stdout
    assert "Racine downloads none" in done.stdout

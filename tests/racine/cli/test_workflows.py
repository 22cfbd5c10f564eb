"""`racine workflows` as a process of its own, against a real server."""

import json
from pathlib import Path

import pytest

from tests.racine.cli.test_cli import racine, server

__all__ = ["server"]

JOB = "name: mine\ntasks:\n- {task_key: a, noop_task: {}, description: DESCRIPTION}\n"


def test_two_versions_are_compared(tmp_path: Path, server: dict[str, str]) -> None:
    file = tmp_path / "mine.yaml"
    for words in ("old words", "new words"):
        file.write_text(JOB.replace("DESCRIPTION", words))
        assert racine("apply", str(file), **server).returncode == 0
    shown = racine("workflows", "diff", "mine", "1", **server)
    assert (shown.returncode, shown.stdout.split()) == (
        0,
        "change task field old new changed a description old words new words".split(),
    )
    told = json.loads(racine("workflows", "diff", "mine", "2", "1", "-o", "json", **server).stdout)
    assert [(c["old"], c["new"]) for c in told["changes"]] == [("new words", "old words")]
    assert "mine" in racine("workflows", "list", **server).stdout


def test_a_job_goes_back_to_an_earlier_version(tmp_path: Path, server: dict[str, str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(JOB.replace("DESCRIPTION", "old words"))
    assert racine("apply", str(file), **server).returncode == 0
    alone = racine("workflows", "rollback", "mine", **server)
    assert (alone.returncode, "one version alone" in alone.stderr) == (1, True)
    file.write_text(JOB.replace("DESCRIPTION", "new words"))
    assert racine("apply", str(file), **server).returncode == 0
    shown = racine("workflows", "rollback", "mine", **server).stdout
    assert shown.split()[-9:] == "a description new words old words mine: version 3".split()
    told = json.loads(
        racine("workflows", "rollback", "mine", "--to", "2", "-o", "json", **server).stdout
    )
    assert (told["version"], [change["new"] for change in told["changes"]]) == (4, ["new words"])


@pytest.mark.parametrize(("form", "suffix"), [("python", "py"), ("json", "json"), ("yaml", "yaml")])
def test_a_job_is_exported_and_is_the_same_again(
    tmp_path: Path, server: dict[str, str], form: str, suffix: str
) -> None:
    source = "examples/hello.json"
    assert racine("apply", source, **server).returncode == 0
    text = racine("workflows", "export", "hello", "--format", form, **server)
    assert text.returncode == 0, text.stderr
    assert racine("workflows", "export", source, "-f", form).stdout == text.stdout
    (tmp_path / f"again.{suffix}").write_text(text.stdout)
    again = racine("apply", str(tmp_path / f"again.{suffix}"), "-o", "json", **server)
    assert [saved["version"] for saved in json.loads(again.stdout)] == [1], again.stderr

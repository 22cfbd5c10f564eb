"""Each way to the binary, and what is said when none works."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from racine.errors import Unavailable
from tools.temporal.binary import VERSION, cache_folder, temporal_binary


def test_the_named_binary_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = _script(tmp_path / "named" / "temporal", f"temporal version {VERSION} (Server x)")
    _script(tmp_path / "path" / "temporal", "temporal version 1.9.0 (Server x)")
    monkeypatch.setenv("TEMPORAL_CLI", str(named))
    monkeypatch.setenv("PATH", f"{tmp_path}/path", prepend=":")
    assert temporal_binary() == named


def test_a_named_binary_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_CLI", str(tmp_path / "absent"))
    with pytest.raises(Unavailable, match=r"TEMPORAL_CLI is .*absent.*no version"):
        temporal_binary()


@pytest.mark.parametrize(("told", "taken"), [("1.8.3", True), ("1.5.1", False), ("2.0.0", False)])
def test_path_counts_only_with_a_good_version(
    told: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = _script(tmp_path / "path" / "temporal", f"temporal version {told} (Server x)")
    monkeypatch.delenv("TEMPORAL_CLI", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/path", prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cached = _script(cache_folder() / "temporal", "cached")
    assert temporal_binary() == (on_path if taken else cached)


def test_without_any_way_the_error_names_all_four(tmp_path: Path) -> None:
    _script(tmp_path / "bin" / "go", "go1.22.1")
    told = _main(tmp_path, PATH=f"{tmp_path}/bin:/bin:/usr/bin")
    assert told.returncode == 1
    assert "go is go1.22.1; 1.26.4 is the least" in told.stderr
    for way in ("TEMPORAL_CLI", "on PATH", "https://temporal.download", "install Go 1.26.4"):
        assert way in told.stderr
    assert "Traceback" not in told.stderr


def test_a_failed_build_leaves_no_binary_behind(tmp_path: Path) -> None:
    go = 'if [ "$1" = env ]; then echo go1.26.8; else echo no route to proxy >&2; exit 1; fi'
    _script(tmp_path / "bin" / "go", go, command=True)
    told = _main(tmp_path, PATH=f"{tmp_path}/bin:/bin:/usr/bin")
    assert told.returncode == 1
    assert "`go list` failed: no route to proxy" in told.stderr
    assert {path.name for path in (tmp_path / "racine/temporal" / VERSION).iterdir()} == {".lock"}


def _main(cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with an empty cache and no network."""
    given = {k: v for k, v in os.environ.items() if k != "TEMPORAL_CLI"}
    closed = {"HTTPS_PROXY": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        [sys.executable, "-m", "tools.temporal.binary"],
        env=given | closed | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _script(path: Path, text: str, *, command: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + (text if command else f"echo '{text}'") + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path

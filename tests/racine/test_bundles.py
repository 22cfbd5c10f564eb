"""The archive form of bundles: same files, same bytes; anything else is refused."""

import io
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racine import bundles
from racine.errors import InvalidInput

NAMES = st.from_regex(r"[a-z]{1,8}(/[a-zé]{1,8}){0,2}\.py", fullmatch=True)


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return made.getvalue()


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=8))
def test_the_same_files_are_the_same_bytes_and_come_back(files: dict[str, bytes]) -> None:
    content = bundles.pack(files)
    assert bundles.pack(dict(reversed(files.items()))) == content
    assert bundles.unpack(content) == files
    changed = files | {next(iter(files)): b"changed" * 40}
    assert bundles.digest(bundles.pack(changed)) != bundles.digest(content)


@pytest.mark.parametrize(
    "name",
    [
        "../a.py",
        "/a.py",
        "a/../../b",
        "a//b",
        "./a",
        "a\\b",
        "C:a",
        "a\nb",
        "a\0b",
        "",
        "a/",
        "x" * 300,
    ],
)
def test_a_name_that_leads_astray_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="name of a file"):
        bundles.pack({"fine.py": b"", name: b""})


def test_a_file_is_no_folder() -> None:
    with pytest.raises(InvalidInput, match="'a'"):
        bundles.pack({"a": b"", "a/b": b""})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        zipped(("a.py", b"x")),
        zipped(("a.py", b"x" * 10_000_000), compression=zipfile.ZIP_DEFLATED),
        bundles.pack({"a.py": b"x"}) + b"more",
        bundles.pack({"a.py": b"x"})[:-30],
        os.urandom(1000),
    ],
    ids=["empty", "text", "another form", "compressed", "longer", "cut", "noise"],
)
def test_bytes_of_another_form_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="no bundle"):
        bundles.unpack(content)


def test_a_link_in_an_archive_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        link = zipfile.ZipInfo("a.py", (1980, 1, 1, 0, 0, 0))
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidInput, match="no bundle"):
        bundles.unpack(made.getvalue())


def test_size_and_number_have_a_bound() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        bundles.pack({"a": b"x" * (bundles.MAX_BYTES + 1)})
    with pytest.raises(InvalidInput, match="at most"):
        bundles.pack({f"f{n}": b"" for n in range(bundles.MAX_FILES + 1)})
    with pytest.raises(InvalidInput, match="no file"):
        bundles.pack({})


def test_modules_are_known_by_their_dotted_names() -> None:
    files = dict.fromkeys(["a.py", "b/__init__.py", "b/c.py", "data.csv"], b"")
    assert bundles.modules(files) == {"a", "b", "b.c"}

"""What no route gets to see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict import MAX_BODY, MAX_DEPTH, Refused, check
from tests.api.server import Api

HOSTILE = {
    "not UTF-8": b'{"a": "\xff"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[-Infinity]",
    "out of range": b'{"a": 1e999}',
    "64 bits": b'{"a": 9223372036854775808}',
    "twice": b'{"a": 1, "a": 1}',
    "surrogate": rb'{"a": ["\ud800"]}',
    "NUL": rb'{"a\u0000": 1}',
    "control character": b'{"a": "\x00"}',
    "nests deeper": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "deeper than": b"[" * 100_000,
    "not JSON": b'{"a": ',
}


@pytest.mark.parametrize("why", HOSTILE)
def test_hostile_json_is_refused_with_its_reason(api: Api, why: str) -> None:
    answer = api.anonymous().post(
        "/api/auth/login", content=HOSTILE[why], headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]


def test_a_body_over_the_limit_is_refused_declared_or_not(api: Api) -> None:
    client = api.anonymous()
    body = b" " * (MAX_BODY + 1)
    assert client.post("/api/auth/login", content=body).status_code == 413
    chunked = client.post("/api/auth/login", content=iter([body[:-1], b"  "]))
    assert chunked.status_code == 413
    assert chunked.json()["code"] == "too_large"


@pytest.mark.parametrize("path", ["/api/auth/pro%00file", "/api/auth/profile?a=%00"])
def test_nul_in_an_address_is_refused(api: Api, path: str) -> None:
    assert api.anonymous().get(path).status_code == 400


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab\\"{[', max_size=3), inner),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_every_plain_document_passes(document: object, ascii_only: bool) -> None:
    check(json.dumps(document, ensure_ascii=ascii_only).encode())


def test_an_unended_string_of_quotes_is_read_in_one_pass() -> None:
    # Two passes over 8 MB are milliseconds; one pass for each quote would outlast the test.
    with pytest.raises(Refused, match="not JSON"):
        check(b'"' + rb"\"" * (MAX_BODY // 2))


def test_brackets_in_strings_are_no_depth() -> None:
    check(json.dumps({"a\\": "[" * 1000, '"': "{" * 1000}).encode())
    with pytest.raises(Refused, match="nests deeper"):
        check(b'{"a":' * 65 + b"1" + b"}" * 65)

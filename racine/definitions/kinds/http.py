"""The task that sends one HTTP request."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from racine.definitions.parts import ANYTHING, COUNT, TEXT, TaskKind, Values
from racine.errors import Fault
from racine.expressions import has_template

SECRET = re.compile(r"\{\{\s*secrets\.([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\s*\}\}")
"""What stands for a secret of the workspace in a header."""

_SAFE = ("GET", "HEAD")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN = ("host", "content-length", "transfer-encoding", "connection")


class HttpTask(TaskKind):
    """Sends one request; its values are the status and what `values` finds in the answer."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """All but GET and HEAD are tried once unless the task has a retry policy of its own."""
    url: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    headers: dict[str, str] = Field(default_factory=dict, max_length=50)
    """`{{ secrets.NAME }}` stands for a secret of the workspace."""
    query: dict[str, Any] = Field(default_factory=dict)
    """Added to the URL, each value encoded."""
    body: Any = None
    """Sent as JSON."""
    timeout_seconds: float = Field(default=30, gt=0, le=3600)
    """For the whole exchange, redirects too."""
    expected_status: list[Annotated[int, Field(ge=100, le=599)]] = Field(default_factory=list)
    """Statuses that are no failure; empty: 200 to 299."""
    values_from: dict[str, str] = Field(default_factory=dict, max_length=100)
    """Values by name: JSON pointers (RFC 6901) into the answer, whose whole is kept as `body_ref`.
    Without it, the answer is the value `body`."""
    max_bytes: int = Field(default=10 << 20, ge=1, le=64 << 20)
    """A longer answer fails the task."""

    PARSED: ClassVar = True
    TEMPLATES: ClassVar = ("url", "headers", "query", "body")
    POOLED: ClassVar = True
    ALWAYS: ClassVar[Values] = {
        "status": COUNT, "bytes": COUNT, "content_type": TEXT, "body": ANYTHING, "body_ref": TEXT,
    }  # fmt: skip

    @property
    def once(self) -> bool:
        return self.method not in _SAFE

    @property
    def seconds(self) -> float:
        return self.timeout_seconds + 30

    @property
    def secrets(self) -> list[str]:
        """Names of the secrets that its headers hold."""
        return [name for value in self.headers.values() for name in SECRET.findall(value)]

    def asks(self) -> dict[str, str]:
        return {"data_sources:write" if self.secrets else "workflows:run": "http_task"}

    def templated(self) -> dict[str, Any]:
        headers = {name: SECRET.sub("", value) for name, value in self.headers.items()}
        return {**super().templated(), "headers": headers}

    def values(self) -> Values:
        return {**self.ALWAYS, **dict.fromkeys(self.values_from, ANYTHING)}

    def faults(self, pointer: str) -> Iterator[Fault]:
        if not has_template(self.url) and not re.match(r"https?://[^/?#@\s]+([/?#]|$)", self.url):
            yield Fault(f"{pointer}/url", "This is no http or https URL, or it holds a password.",
                        "Write https://host/path; give credentials in a header, by"
                        " {{ secrets.NAME }}.", "url")  # fmt: skip
        for name in self.headers:
            if not _HEADER.fullmatch(name) or name.lower() in _OWN:
                yield Fault(f"{pointer}/headers/{name}", f"{name!r} is no header to be set here.",
                            "Choose another, or leave it out.", "header")  # fmt: skip
        for name, path in self.values_from.items():
            if name in self.ALWAYS or not (path == "" or path.startswith("/")):
                yield Fault(f"{pointer}/values_from/{name}",
                            f"{path!r} is no JSON pointer, or {name!r} is taken.",
                            "Write it like /data/0/total.", "pointer")  # fmt: skip

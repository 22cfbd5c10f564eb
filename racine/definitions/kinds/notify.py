"""The task that tells people something."""

from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

from racine.definitions.parts import TEXT, TaskKind, Values


class NotifyTask(TaskKind):
    """Leaves one notification in the workspace's inbox."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    """At most 200 characters once its templates are resolved."""
    body: Annotated[str, StringConstraints(max_length=10_000)] = ""
    severity: Literal["info", "warning", "error"] = "info"

    PARSED: ClassVar = True
    TEMPLATES: ClassVar = ("subject", "body")
    VALUES: ClassVar[Values] = {"notification_id": TEXT}

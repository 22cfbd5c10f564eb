"""Functions and a job as a user's module has them; the tests import it."""

from typing import TypedDict

import racine
from racine.platform import NOOP, NOTIFY, Echo, NotifyInput


class Counted(TypedDict):
    rows: int
    tables: list[str]


def count(table: str, limit: int = 10) -> Counted:
    return {"rows": limit * 2, "tables": [table, "other"]}


def shout(text: str) -> str:
    return text.upper()


@racine.job(tags={"team": "data"})
def pipeline(job: racine.JobBuilder, table: str, limit: int = 10) -> None:
    """Counts a table and tells whoever wants to know."""
    counted = job.task("count").python(count, table=table, limit=limit)
    many = job.task("many").condition(counted.values["rows"] > 5)
    first = job.task("first", retry_policy=racine.RetryPolicy(maximum_attempts=5)).operation(
        NOOP, Echo, value=counted.values["tables"][0]
    )
    loud = job.task("loud").python(shout, text=f"{table} has {counted.values['rows']} rows")
    job.task("tell", depends_on=[loud, many.when("true")]).operation(
        NOTIFY, NotifyInput, subject=loud.result
    )
    job.returns(text=loud.result, twice=counted.values["rows"] * 2, first=first.values.value)

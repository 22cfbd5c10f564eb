"""One job with a task of every kind, as a user writes it."""

from typing import Any

from pydantic import BaseModel

import racine
from racine.platform import NOOP, Echo


class Payment(BaseModel):
    amount: float


def size_of(table: str) -> int:
    return len(table)


def body(job: racine.JobBuilder, table: str) -> None:
    job.task("size", retry_policy=racine.RetryPolicy(maximum_attempts=2)).python(
        size_of, table=table
    )


def again(job: racine.JobBuilder, iteration: int) -> None:
    job.task("look").operation(NOOP, Echo, value=iteration)


def each_row(job: racine.JobBuilder, row: Any) -> None:
    job.task("show").operation(NOOP, Echo, value=row)


def undo(job: racine.JobBuilder) -> None:
    job.task("unpoll").notify("It was undone.")


@racine.job(
    "every_kind",
    failure_policy=racine.FailurePolicy.FAIL_FAST,
    queue=racine.Queue(timeout_seconds=60),
    max_concurrent_runs=2,
    tags={"team": "data"},
)
def every_kind(job: racine.JobBuilder, tables: list[str], env: str = "uat") -> None:
    """Says whatever a job can say."""
    hello = job.task("hello", pool="warehouse", pool_slots=2).operation(NOOP, Echo, value=env)
    sized = job.task("sized", depends_on=[hello]).for_each(tables, body, concurrency=2)
    job.task("poll", compensate_with=undo).while_("iteration < 3", again, max_iterations=9)
    job.task("rows").for_each(
        racine.SqlItems(sql="select 1 as one", source="shop"), each_row, item="row"
    )
    big = job.task("big").condition(sized.values["total"] > 10)
    ask = job.task("ask", depends_on=[big.when("true")]).approval(
        f"Publish {env}?",
        approvers=["role:steward"],
        timeout_seconds=3600,
        on_timeout=racine.OnTimeout.REJECT,
    )
    job.task("soon", condition=hello.values.value != "prod").wait_for(0.5)
    told_by = job.task("paid").wait_for_signal("paid", Payment, timeout_seconds=3600)
    job.task("thank", condition=told_by.values.received).operation(
        NOOP, Echo, value=told_by.values.payload.amount
    )
    later = job.task("later").wait_until("2020-01-01T00:00:00+00:00")
    route = job.task("route", depends_on=[ask, later], join=racine.Join.ANY).switch(
        env, ["prod", "uat"], default="uat"
    )
    job.task("publish").run_job("publish", {"env": env}, version="pinned", wait=False)
    counted = job.task("counted").sql(
        "shop", "select count(*) as orders from orders where env = :env", parameters={"env": env}
    )
    told = job.task("told").http(
        "https://example.org/hooks",
        method="POST",
        body={"orders": counted.values["rows"]},
        headers={"Authorization": "Bearer {{ secrets.hook }}"},
    )
    gate = job.task("gate", depends_on=[told]).quality(
        [racine.Check(asset="orders", metric=racine.Metric.ROW_COUNT,
                      op=racine.Comparison.GREATER_THAN, value=counted.values["rows"])],
        source="shop",
        on_fail="CONTINUE",
    )  # fmt: skip
    job.task("alarm", depends_on=[gate.when("failed")]).notify(
        f"{env} looks wrong", severity="warning"
    )
    job.task("end", depends_on=[route.when("uat")], run_if=racine.RunIf.ALL_DONE).noop()
    job.finally_.task("tidy").of(racine.NoopTask())
    job.returns(total=sized.values["total"])

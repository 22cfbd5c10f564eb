"""Statements, a gate, a request and a notification: are the orders fit to be reported?

racine apply examples/order_watch.py
racine run order_watch --param source=shop --param report_to=https://reports.example.org/orders

`source` is a registered SQL source with a table `orders` that has been scanned.
"""

from typing import Any

import racine


@racine.job(
    tags={"example": "effects"},
    health=racine.Health(
        rules=[racine.HealthRule(metric=racine.HealthMetric.RUN_DURATION_SECONDS, value=900)]
    ),
)
def order_watch(job: racine.JobBuilder, source: str, report_to: str, least: int = 1) -> None:
    """Counts the orders; reports them if the last scan passes the gate, and tells people if not."""
    number: dict[str, Any] = {"properties": {"orders": {"type": "integer"}}}
    count = job.task("count", outputs=number).sql(
        source,
        "SELECT count(*) AS orders FROM orders WHERE total >= :least",
        parameters={"least": least},
    )
    gate = job.task("gate").quality(
        [
            racine.Check(asset="orders", metric=racine.Metric.ROW_COUNT,
                         op=racine.Comparison.GREATER_THAN, value=0),
            racine.Check(asset="orders", column="total", metric=racine.Metric.NULL_SHARE,
                         op=racine.Comparison.LESS_THAN, value=0.1),
            racine.Check(asset="orders", expression="asset.age_seconds < 86400.0",
                         severity="warning"),
        ],
        source=source,
        on_fail="CONTINUE",
    )  # fmt: skip
    report = job.task("report", depends_on=[count, gate.when("passed")]).http(
        report_to,
        method="POST",
        body={"source": source, "orders": count.values.orders},
        values_from={"ticket": "/ticket"},
    )
    job.task("told", depends_on=[report]).notify(
        f"{source}: {count.values.orders} orders reported as {report.values.ticket}"
    )
    job.task("held", depends_on=[gate.when("failed")]).notify(
        f"{source} is not fit to be reported",
        body=f"{gate.values.failed} checks do not hold.",
        severity="warning",
    )
    job.returns(orders=count.values.orders)

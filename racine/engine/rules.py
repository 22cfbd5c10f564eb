"""What follows a failed attempt of a task that has rules for it."""

from typing import Any

from racine import expressions
from racine.engine.plan import Step


def after_failure(step: Step, error: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Return what happens after a failed attempt: an action, and the seconds before a retry."""
    known = {"code": error.get("code", ""), "type": error.get("code", ""),
             "message": error.get("message", ""),
             "retryable": error.get("retryable", True)}  # fmt: skip
    for rule in step.retry_rules:
        if expressions.is_true(rule["when"], {"error": known, "attempt": attempt}):
            if rule["action"] == "RETRY" and attempt >= rule["maximum_attempts"]:
                return {"action": "FAIL"}
            seconds = rule["delay_seconds"] * rule["backoff_coefficient"] ** (attempt - 1)
            return {"action": rule["action"], "seconds": min(seconds, 86_400.0)}
    return _by_policy(step, known, attempt)


def _by_policy(step: Step, error: dict[str, Any], attempt: int) -> dict[str, Any]:
    policy = step.retry_policy
    assert policy is not None  # compiled in for tasks with rules
    barred = error["code"] in policy.non_retryable_error_types or not error["retryable"]
    if barred or attempt >= policy.maximum_attempts:
        return {"action": "FAIL"}
    grown = policy.initial_interval_seconds * policy.backoff_coefficient ** (attempt - 1)
    return {"action": "RETRY", "seconds": min(grown, policy.maximum_interval_seconds)}

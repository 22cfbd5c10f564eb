"""The permissions there are, and what a pattern of a role covers."""

from racine.errors import Fault, InvalidInput

GROUPS = (
    "data_sources",
    "scan_rule_sets",
    "classifications",
    "compliance",
    "catalog",
    "scan_logic",
    "rbac",
    "workspaces",
    "workflows",
    "activities",
    "orchestration",
)
VERBS = ("read", "write", "run", "approve", "admin")
ALL = tuple(f"{group}:{verb}" for group in GROUPS for verb in VERBS)


def covers(pattern: str, permission: str) -> bool:
    """Tell whether `group:verb`, where either part may be `*`, takes in the permission."""
    group, _, verb = pattern.partition(":")
    asked_group, _, asked_verb = permission.partition(":")
    return group in ("*", asked_group) and verb in ("*", asked_verb)


def expand(patterns: tuple[str, ...]) -> frozenset[str]:
    """Return every permission that the patterns cover."""
    return frozenset(p for p in ALL if any(covers(pattern, p) for pattern in patterns))


def check_patterns(patterns: list[str]) -> tuple[str, ...]:
    """Return the patterns sorted, once each; raise InvalidInput naming what covers nothing."""
    faults = [
        Fault(
            f"/permissions/{place}",
            f"{pattern!r} covers no permission.",
            "Use `group:verb`; either part may be `*`.",
        )
        for place, pattern in enumerate(patterns)
        if not any(covers(pattern, permission) for permission in ALL)
    ]
    if faults:
        raise InvalidInput("Some permissions do not exist.", faults=faults)
    return tuple(sorted(set(patterns)))

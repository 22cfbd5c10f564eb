"""The roles that ship with Racine, as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A named set of permission patterns."""

    name: str
    title: str
    permissions: tuple[str, ...]


_READ = tuple(
    f"{group}:read"
    for group in (
        "catalog",
        "classifications",
        "compliance",
        "data_sources",
        "orchestration",
        "scan_logic",
        "scan_rule_sets",
        "workflows",
        "workspaces",
    )
)

BUILT_IN = (
    Role("reader", "Reads everything but access rules and the activity log", _READ),
    Role(
        "steward",
        "Decides what data is and who owns it",
        (*_READ, "catalog:write", "catalog:approve", "classifications:write",
         "classifications:run", "classifications:approve"),
    ),
    Role(
        "curator",
        "Keeps catalog entries and their descriptions true",
        (*_READ, "catalog:write", "classifications:write"),
    ),
    Role(
        "source_admin",
        "Connects data sources and says how they are scanned",
        (*_READ, "data_sources:*", "scan_rule_sets:*", "scan_logic:*"),
    ),
    Role(
        "scan_operator",
        "Runs scans and jobs",
        (*_READ, "data_sources:run", "scan_logic:write", "scan_logic:run", "workflows:run",
         "catalog:run", "classifications:run", "compliance:run", "orchestration:run"),
    ),
    Role(
        "compliance_officer",
        "Owns rules, findings, waivers and reports",
        (*_READ, "compliance:*", "activities:read"),
    ),
    Role("auditor", "Reads everything, the activity log included", ("*:read",)),
    Role("access_approver", "Answers access requests", (*_READ, "rbac:read", "rbac:approve")),
    Role("platform_admin", "Does anything anywhere", ("*:*",)),
    Role("workspace_owner", "Does anything in one workspace", ("*:*",)),
    Role(
        "workspace_editor",
        "Builds and runs in one workspace, without access rules",
        (*_READ, "activities:read", "catalog:write", "catalog:run", "classifications:write",
         "classifications:run", "compliance:write", "compliance:run", "data_sources:write",
         "data_sources:run", "orchestration:run", "scan_logic:write", "scan_logic:run",
         "scan_rule_sets:write", "workflows:write", "workflows:run"),
    ),
)  # fmt: skip

BY_NAME = {role.name: role for role in BUILT_IN}

"""The access decision: which grants reach a scope, whether they allow, and why.

Scopes nest: tenant, workspace, source, asset. A grant on a scope holds for everything below it,
and one that denies overrides every one that allows, wherever it sits (NIST RBAC has no deny; the
rule is XACML 3.0's deny-overrides).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from racine.errors import Forbidden
from racine.governance.rbac.permissions import covers

TENANT = "tenant"
"""The scope above all workspaces."""

SYSTEM_ID = "usr_system"
"""Racine itself as an actor; no account is behind it."""

Path = Sequence[str]
"""Scope ids from the widest to the one asked about: `("tenant", "ws_…", "src_…", "ast_…")`."""


@dataclass(frozen=True)
class Grant:
    """A role given to somebody, or denied, on one scope."""

    id: str
    role: str
    permissions: tuple[str, ...]
    scope: str
    denies: bool = False

    def concerns(self, permission: str) -> bool:
        return any(covers(pattern, permission) for pattern in self.permissions)


EVERYTHING = (Grant("grt_system", "system", ("*:*",), TENANT),)
"""What Racine itself holds."""


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, in words why, and the grant that decided."""

    allowed: bool
    reason: str
    grant: Grant | None = None


@dataclass(frozen=True)
class Reach:
    """The scopes on which one permission is allowed and denied: a decision before its object."""

    allowed: frozenset[str]
    denied: frozenset[str]

    def holds(self, path: Path) -> bool:
        return not self.allowed.isdisjoint(path) and self.denied.isdisjoint(path)


def reach(grants: Iterable[Grant], permission: str) -> Reach:
    """Return where the grants allow and deny a permission."""
    concerned = [grant for grant in grants if grant.concerns(permission)]
    return Reach(
        frozenset(grant.scope for grant in concerned if not grant.denies),
        frozenset(grant.scope for grant in concerned if grant.denies),
    )


def decide(grants: Iterable[Grant], permission: str, path: Path) -> Decision:
    """Decide one permission on the last scope of the path, naming the grant nearest to it."""
    near_first = {scope: place for place, scope in enumerate(reversed(path))}
    found = sorted(
        (g for g in grants if g.scope in near_first and g.concerns(permission)),
        key=lambda g: (not g.denies, near_first[g.scope], g.id),
    )
    if not found:
        return Decision(False, f"No grant on {_joined(path)} gives {permission}.")
    deciding = found[0]
    verb = "denies" if deciding.denies else "gives"
    inherited = "" if deciding.scope == path[-1] else f", which {path[-1]} inherits"
    reason = f"Role {deciding.role} on {deciding.scope} {verb} {permission}{inherited}."
    return Decision(not deciding.denies, reason, deciding)


def refusal(name: str, permission: str, why: str, scope: str) -> Forbidden:
    """Return the error that tells somebody by name what they may not, and whom to ask."""
    return Forbidden(
        f"{name} may not {permission} here. {why}",
        next_step="Ask whoever administers access for a role that gives it.",
        details={"permission": permission, "scope": scope},
    )


def _joined(path: Path) -> str:
    return " or ".join(reversed(path))

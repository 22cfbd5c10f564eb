"""The decision, its reason, and its form as a filter."""

from hypothesis import given
from hypothesis import strategies as st

from racine.governance.rbac.decision import TENANT, Grant, decide, reach
from racine.governance.rbac.permissions import ALL, covers, expand
from racine.governance.rbac.roles import BUILT_IN, BY_NAME

PATH = (TENANT, "ws_1", "src_1", "ast_1")
SCOPES = [*PATH, "ws_2", "src_2", "ast_2"]
PATTERNS = st.sampled_from(["catalog:read", "catalog:*", "*:read", "*:*", "compliance:admin"])
GRANTS = st.lists(
    st.builds(
        Grant,
        id=st.uuids().map(str),
        role=st.just("r"),
        permissions=st.lists(PATTERNS, max_size=3).map(tuple),
        scope=st.sampled_from(SCOPES),
        denies=st.booleans(),
    ),
    max_size=6,
)


def grant(role: str, scope: str, *, denies: bool = False) -> Grant:
    return Grant(f"grt_{role}_{scope}", role, BY_NAME[role].permissions, scope, denies)


def test_a_grant_holds_below_its_scope_and_not_above() -> None:
    grants = [grant("steward", "src_1")]
    assert decide(grants, "catalog:write", PATH).allowed
    assert not decide(grants, "catalog:write", PATH[:2]).allowed
    assert not decide(grants, "catalog:write", (TENANT, "ws_1", "src_2")).allowed


def test_a_deny_overrides_an_allow_nearer_to_the_object() -> None:
    grants = [grant("steward", "ast_1"), grant("steward", TENANT, denies=True)]
    found = decide(grants, "catalog:write", PATH)
    assert not found.allowed
    assert found.grant == grants[1]
    assert found.reason == "Role steward on tenant denies catalog:write, which ast_1 inherits."


def test_the_reason_names_the_nearest_grant() -> None:
    grants = [grant("reader", TENANT), grant("steward", "src_1")]
    found = decide(grants, "catalog:read", PATH)
    assert found.reason == "Role steward on src_1 gives catalog:read, which ast_1 inherits."


def test_nobody_may_anything_without_a_grant() -> None:
    for permission in ALL:
        found = decide([], permission, PATH)
        assert not found.allowed
        assert "No grant" in found.reason


@given(GRANTS, st.sampled_from(ALL), st.integers(1, 4))
def test_the_reach_holds_exactly_where_the_decision_allows(
    grants: list[Grant], permission: str, depth: int
) -> None:
    path = PATH[:depth]
    assert reach(grants, permission).holds(path) == decide(grants, permission, path).allowed


def test_built_in_roles_hold_only_real_permissions() -> None:
    for role in BUILT_IN:
        for pattern in role.permissions:
            assert any(covers(pattern, permission) for permission in ALL), (role.name, pattern)


def test_only_administrators_change_access() -> None:
    changing = {r.name for r in BUILT_IN if "rbac:admin" in expand(r.permissions)}
    assert changing == {"platform_admin", "workspace_owner"}

"""Who may do what: permissions, roles, scoped grants and the decision."""

from racine.group import Group

GROUP = Group("rbac", "Access control")

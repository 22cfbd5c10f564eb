"""Who may do what: users, roles, scoped grants and the decision."""

from racine.group import Group

GROUP = Group("rbac", "Access control")

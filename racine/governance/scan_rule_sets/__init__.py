"""Versioned sets that say what a scan takes in and how it judges."""

from racine.group import Group

GROUP = Group("scan_rule_sets", "Scan rule sets")

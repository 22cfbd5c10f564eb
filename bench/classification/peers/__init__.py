"""Other tools that classify columns, measured on the same tables by the same score.

Each runs as a process of its own, in an environment of its own under `.tools/peers`, made from a
lock file; what it answers is translated into our kinds by the table in `kinds.py`.
"""

from bench.classification.peers.comparison import Result, compare, line, markdown, racine

__all__ = ["Result", "compare", "line", "markdown", "racine"]

"""SQL statements of jobs: one statement a text, its values bound by name and never written in."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from racine.errors import InvalidInput

DIALECTS = {
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "duckdb": "duckdb",
    "mysql": "mysql",
}
"""How sqlglot calls the SQL of each kind of source."""

READS = ("SELECT", "WITH", "VALUES", "TABLE", "FROM", "SHOW", "EXPLAIN", "DESCRIBE", "SUMMARIZE")
"""What a statement that only reads begins with."""

_FORBIDDEN = frozenset(
    "BEGIN START COMMIT ROLLBACK END ABORT SAVEPOINT RELEASE PREPARE DEALLOCATE ATTACH DETACH COPY"
    " LOAD INSTALL USE SET RESET PRAGMA LISTEN NOTIFY UNLISTEN DO DISCARD LOCK UNLOCK".split()
)
"""Verbs that would end the task's transaction, change its session or reach other files."""

_IN_TRANSACTIONS = frozenset("INSERT REPLACE UPDATE DELETE".split())
"""Verbs that MySQL and MariaDB can take back; all others but readers commit by themselves."""

_EXECUTABLE = re.compile(r"/\*M?!")
"""How a comment begins that MySQL and MariaDB run."""

_BEFORE = re.compile(r"[\w\])\"'$:`]")
"""What stands before a colon that is no marker: a slice, a cast, a path into JSON."""


@dataclass(frozen=True)
class Statement:
    """One statement; `names` are the parameters it reads, in order of their first use."""

    text: str
    verb: str
    names: tuple[str, ...]
    marks: tuple[tuple[int, int, str], ...]
    """Where each marker stands: start, end, name."""

    @property
    def reads(self) -> bool:
        return self.verb in READS

    def marked(self, marker: Callable[[str], str], escape: Callable[[str], str] = str) -> str:
        """Return the text with each `:name` as the driver writes it; `escape` takes the rest."""
        parts, at = list[str](), 0
        for start, end, name in self.marks:
            parts += [escape(self.text[at:start]), marker(name)]
            at = end
        return "".join([*parts, escape(self.text[at:])])


def parse(text: str, kind: str) -> Statement:
    """Return a statement's parts as a kind of source reads them.

    Raises InvalidInput for an empty text, for several statements in one, and for what would leave
    the task's transaction.
    """
    tokens = [token for token in _tokens(text, kind) if token.token_type.name != "COMMENT"]
    while tokens and tokens[-1].token_type.name == "SEMICOLON":
        tokens.pop()
    if not tokens:
        raise InvalidInput("The statement is empty.")
    if any(token.token_type.name == "SEMICOLON" for token in tokens):
        raise InvalidInput(
            "One text holds several statements.", next_step="Give `statement` a list of them."
        )
    if DIALECTS.get(kind) == "mysql":
        _refuse_hidden(text, tokens)
    verb = next(t.text for t in tokens if t.token_type.name != "L_PAREN").upper()
    if verb in _FORBIDDEN:
        raise InvalidInput(
            f"A statement cannot begin with {verb}: the task keeps its transaction and session.",
            next_step="The statements of one task commit together, or not at all.",
        )
    marks = tuple(_marks(text, tokens))
    return Statement(text, verb, tuple(dict.fromkeys(name for *_, name in marks)), marks)


def read(text: str) -> Statement:
    """Return the parts of a statement of which nobody knows yet what source it will meet.

    Raises InvalidInput for one that no kind of source could run.
    """
    try:
        return parse(text, "")
    except InvalidInput as fault:
        with suppress(InvalidInput):
            return parse(text, "mysql")
        raise fault


def refuse_apart(wanted: Sequence[Statement], kind: str) -> None:
    """Raise InvalidInput where one of several statements would commit the others on its own."""
    if DIALECTS.get(kind) != "mysql" or len(wanted) == 1:
        return
    for statement in wanted:
        if not statement.reads and statement.verb not in _IN_TRANSACTIONS:
            raise InvalidInput(
                f"{statement.verb} would commit what the statements before it did: MySQL and"
                " MariaDB cannot take it back.",
                next_step="Give it a sql_task of its own.",
            )


def bound(statement: Statement, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the markers; raise InvalidInput naming those that nobody gave."""
    missing = [name for name in statement.names if name not in parameters]
    if missing:
        raise InvalidInput(
            f"The statement reads {', '.join(f':{name}' for name in missing)}, which has no value.",
            next_step="Give it in `parameters`.",
        )
    return {name: parameters[name] for name in statement.names}


def _refuse_hidden(text: str, tokens: list[Any]) -> None:
    """Refuse what the server would run and the parser does not see, and files at the server."""
    ends = [0, *(token.end + 1 for token in tokens)]
    begins = [*(token.start for token in tokens), len(text)]
    if any(_EXECUTABLE.search(text[a:b]) for a, b in zip(ends, begins, strict=True)):
        raise InvalidInput(
            "The statement holds a comment that the server would run: /*! … */.",
            next_step="Write what it says without the comment.",
        )
    for token, after in pairwise(tokens):
        if token.text.upper() == "INTO" and after.text.upper() in ("OUTFILE", "DUMPFILE"):
            raise InvalidInput("A statement cannot write files at the server.")


def _tokens(text: str, kind: str) -> list[Any]:
    import sqlglot  # here: 20 MB that a process without SQL need not hold

    try:
        return list(sqlglot.Dialect.get_or_raise(DIALECTS.get(kind, "postgres")).tokenize(text))
    except sqlglot.errors.SqlglotError as fault:
        line = str(fault).splitlines()[0]
        raise InvalidInput(f"The statement cannot be read as SQL: {line}.") from None


def _marks(text: str, tokens: list[Any]) -> list[tuple[int, int, str]]:
    found = []
    for token, after in pairwise(tokens):
        name = text[after.start : after.end + 1]
        if token.token_type.name != "COLON" or after.start != token.end + 1:
            continue
        if not name.isidentifier() or _BEFORE.match(text[token.start - 1 : token.start]):
            continue
        found.append((token.start, after.end + 1, name))
    return found

"""Which assets a rule set takes in, by gitignore-style patterns on their qualified names."""

from collections.abc import Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from racine.errors import Fault, InvalidInput

MAX_PATTERNS = 500


def qualified(*parts: str) -> str:
    """Return names joined by dots; a part that holds a dot or a quote is quoted as in SQL."""
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part
        for part in parts
    )


@dataclass(frozen=True)
class Explanation:
    """Why an asset is in or out."""

    included: bool
    pattern: str | None
    """The pattern that decided, None when none matched."""
    list: str
    """`include` or `exclude`."""
    reason: str


class Selection:
    """Compiled include and exclude patterns.

    As in .gitignore: the last matching pattern of a list decides, `!` takes back, `*` stops at a
    slash, `**` does not, a pattern without a slash matches at any depth. Case does not matter, as
    in most databases. Raises InvalidInput with the place of a faulty pattern.
    """

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include, self._include_spec = include, _compile("include", include)
        self._exclude, self._exclude_spec = exclude, _compile("exclude", exclude)

    def explain(self, name: str) -> Explanation:
        """Return whether the asset of that name is in, and the pattern that decided."""
        pattern = _decisive(self._exclude_spec, self._exclude, name)
        if pattern is not None and not pattern.startswith("!"):
            return Explanation(False, pattern, "exclude", f"{pattern!r} excludes it.")
        pattern = _decisive(self._include_spec, self._include, name)
        if pattern is None:
            return Explanation(False, None, "include", "No include pattern matches it.")
        if pattern.startswith("!"):
            return Explanation(False, pattern, "include", f"{pattern!r} takes it back.")
        return Explanation(True, pattern, "include", f"{pattern!r} includes it.")


def _compile(field: str, patterns: Sequence[str]) -> GitIgnoreSpec:
    if len(patterns) > MAX_PATTERNS:
        raise InvalidInput(f"A rule set has at most {MAX_PATTERNS} {field} patterns.")
    for place, pattern in enumerate(patterns):
        if not pattern.strip() or pattern.startswith("#"):
            message = "A pattern is neither empty nor a comment."
            raise InvalidInput(message, faults=[Fault(f"/{field}/{place}", message)])
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:
            raise InvalidInput(
                f"The pattern {pattern!r} is not valid.",
                next_step="Patterns are written as in .gitignore.",
                faults=[Fault(f"/{field}/{place}", "not a valid pattern")],
            ) from None
    return GitIgnoreSpec.from_lines([pattern.casefold() for pattern in patterns])


def _decisive(spec: GitIgnoreSpec, patterns: Sequence[str], name: str) -> str | None:
    found = spec.check_file(name.casefold())
    return None if found.index is None else patterns[found.index]

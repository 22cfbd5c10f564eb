"""Verdicts in the words of people."""


def percent(confidence: float) -> str:
    """Return a confidence in whole percent; one that is not certain is never said to be."""
    return ">99%" if 0.995 <= confidence < 1 else f"{confidence:.0%}"


def held(kind: str, mode: str) -> str:
    """Return a kind as a list of columns tells it: free text contains it, other columns are it."""
    return f"contains {kind}" if mode == "contains" else kind

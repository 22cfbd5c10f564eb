"""Confidences in the words of people."""


def percent(confidence: float) -> str:
    """Return a confidence in whole percent; one that is not certain is never said to be."""
    return ">99%" if 0.995 <= confidence < 1 else f"{confidence:.0%}"

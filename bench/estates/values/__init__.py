"""Makers of values, by name; each knows what a column of its values is."""

from bench.estates.values import (
    codes,
    dates,
    decoys,
    identity,
    lookalikes,
    money,
    network,
    personal,
    plain,
    things,
)
from bench.estates.values.maker import MAKERS, Row

__all__ = ["MAKERS", "Row"]

MODULES = (codes, dates, decoys, identity, lookalikes, money, network, personal, plain, things)
"""Importing them fills `MAKERS`."""

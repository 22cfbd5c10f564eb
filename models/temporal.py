"""The one way to reach Temporal: address, namespace, data converter and search attributes."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

WORKSPACE = "RacineWorkspace"
KIND = "RacineKind"
JOB = "RacineJob"
TRIGGER = "RacineTrigger"
STATE = "RacineState"
ACTOR = "RacineActor"
SEARCH_ATTRIBUTES = (WORKSPACE, KIND, JOB, TRIGGER, STATE, ACTOR)
"""Keywords by which Temporal Web finds runs; SQL stores have room for ten."""


async def connect(address: str, namespace: str = "default") -> Client:
    """Connect to a Temporal server; raises RuntimeError when it does not answer."""
    return await Client.connect(
        address, namespace=namespace, data_converter=pydantic_data_converter
    )

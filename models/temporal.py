"""The one way to reach Temporal: address, namespace and data converter."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter


async def connect(address: str, namespace: str = "default") -> Client:
    """Connect to a Temporal server; raises RuntimeError when it does not answer."""
    return await Client.connect(
        address, namespace=namespace, data_converter=pydantic_data_converter
    )

"""Base of all that a job document is made of."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Frozen, and a field nobody knows is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""What jobs can do: the declared operations with their schemas."""

from typing import Any

from fastapi import APIRouter

from racine import registry

router = APIRouter(prefix="/api/racine/operations", tags=["operations"])


@router.get("", operation_id="list_operations")
def list_operations() -> dict[str, list[dict[str, Any]]]:
    """List every operation with the JSON Schemas of its input and result."""
    return {
        "operations": [
            {
                "name": op.name,
                "summary": op.summary,
                "input_schema": op.input.model_json_schema(),
                "result_schema": op.result.model_json_schema(),
                "example": op.example,
            }
            for op in registry.operations().values()
        ]
    }

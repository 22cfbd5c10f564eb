"""What jobs can be made of: the declared operations with their schemas, and the document's own."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Me, ReadSession
from api.pages import Items
from services import operations

router = APIRouter(prefix="/api/racine", tags=["operations"])


class OperationAnswer(BaseModel):
    name: str
    group: str
    summary: str
    permission: str
    input_schema: dict[str, Any]
    result_schema: dict[str, Any]
    example: dict[str, Any]


@router.get("/operations", operation_id="list_operations")
def list_operations(session: ReadSession, me: Me) -> Items[OperationAnswer]:
    """List every operation with the JSON Schemas of its input and result."""
    return Items[OperationAnswer](
        items=[
            OperationAnswer(
                name=op.name,
                group=op.name.partition(".")[0],
                summary=op.summary,
                permission=op.permission,
                input_schema=op.input.model_json_schema(),
                result_schema=op.result.model_json_schema(),
                example=op.example,
            )
            for op in operations.listed(session, me)
        ]
    )


@router.get("/schema/job.json", operation_id="get_job_schema")
def job_schema(session: ReadSession, me: Me) -> dict[str, Any]:
    """Return the JSON Schema of the job document."""
    return operations.job_schema(session, me)

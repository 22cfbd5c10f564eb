"""Documents as text that `racine apply` takes again."""

import json
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    PYTHON = "python"
    JSON = "json"
    YAML = "yaml"


def exported(document: dict[str, Any], form: Form) -> str:
    """Return a document as Python that makes it, or as the data that it is."""
    if form is Form.JSON:
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if form is Form.YAML:
        import yaml  # here, as below: most commands need none of these

        return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))
    from racine.definitions.document import JobDocument
    from racine.sdk.generated import python_of

    return python_of(JobDocument.model_validate(document))

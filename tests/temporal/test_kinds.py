"""The kinds of tasks: what the document knows, the interpreter carries out."""

from racine.definitions.document import TASK_KINDS
from workflows.kinds import HANDLERS


def test_every_kind_of_the_document_has_a_handler() -> None:
    assert set(HANDLERS) == set(TASK_KINDS)

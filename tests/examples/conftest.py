"""The examples run on the same real parts as the interpreter's own tests."""

from tests.temporal.conftest import idle_stack, stack

__all__ = ["idle_stack", "stack"]

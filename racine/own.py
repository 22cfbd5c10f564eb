"""`@racine.operation`: makes a typed Python function an operation that jobs can name."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from racine import registry
from racine.errors import InvalidInput
from racine.group import Operation

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_CONFIG = ConfigDict(extra="forbid", frozen=True)


def operation(
    name: str,
    *,
    summary: str = "",
    permission: str = "",
    timeout_seconds: int = 600,
    example: dict[str, Any] | None = None,
) -> Callable[[FunctionT], FunctionT]:
    """Register a function as the operation `name`; it stays callable as before.

    Its typed parameters become the input, its return type the result: a pydantic model as it is,
    anything else as the one field `result`. Raises InvalidInput for what has no type.
    """

    def decorate(function: FunctionT) -> FunctionT:
        registry.register(
            Operation(
                name,
                input_model(function),
                result_model(function),
                summary or inspect.getdoc(function) or name,
                judge=_judge(function),
                example=example or {},
                permission=permission,
                timeout_seconds=timeout_seconds,
                origin=f"{function.__module__}:{function.__qualname__}",
            )
        )
        return function

    return decorate


def input_model(function: Callable[..., Any]) -> type[BaseModel]:
    """Return the model of a function's parameters."""
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints or parameter.kind in _VARIADIC:
            raise InvalidInput(
                f"The parameter {parameter.name!r} of {function.__qualname__} has no type.",
                next_step="Annotate it; *args and **kwargs cannot be an operation's input.",
            )
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(f"{function.__name__}_input", __config__=_CONFIG, **fields)


def result_model(function: Callable[..., Any]) -> type[BaseModel]:
    """Return the model of what a function gives: its own, or one with the field `result`."""
    hints = get_type_hints(function)
    if "return" not in hints:
        raise InvalidInput(
            f"{function.__qualname__} does not say what it returns.",
            next_step="Annotate its return type.",
        )
    returns = hints["return"]
    if inspect.isclass(returns) and issubclass(returns, BaseModel):
        return returns
    return create_model(f"{function.__name__}_result", __config__=_CONFIG, result=(returns, ...))


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _judge(function: Callable[..., Any]) -> Callable[[BaseModel], BaseModel]:
    model = result_model(function)

    def judge(given: BaseModel) -> BaseModel:
        arguments = {name: getattr(given, name) for name in type(given).model_fields}
        result = function(**arguments)
        return result if isinstance(result, model) else model.model_validate({"result": result})

    return judge

"""Which attributes of a row a function or a property reads, by its code."""

import dis
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

_READS = ("LOAD_ATTR", "LOAD_METHOD")


def attributes_read(function: Callable[..., Any] | None) -> frozenset[str] | None:
    """Returns the attributes that a function reads of its first argument; None if it may read others.

    That is so if it passes the argument on, or is no plain function.
    """
    return _read_of_first(function.__code__) if isinstance(function, FunctionType) else None


@lru_cache(maxsize=1024)
def _read_of_first(code: CodeType) -> frozenset[str] | None:
    # As a variable of an inner function the argument is loaded otherwise.
    if not code.co_argcount or (row := code.co_varnames[0]) in code.co_cellvars:
        return None
    found: set[str] = set()
    instructions = list(dis.get_instructions(code))
    for instruction, following in zip(instructions, [*instructions[1:], None], strict=True):
        variables = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
        if "FAST" not in instruction.opname or row not in variables:
            continue
        if instruction.opname != "LOAD_FAST" or following is None or following.opname not in _READS:
            return None
        found.add(following.argval)
    return frozenset(found)


def names_in(function: Any) -> frozenset[str]:
    """Returns the names of all attributes that a function's code reads of anything."""
    return frozenset(name for code in _codes(function.__code__) for name in code.co_names)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)

"""Generated Python: the lines of its functions, and the objects that it refers to."""

from collections.abc import Callable
from typing import Any

from .errors import Unsupported

# Interfaces within interfaces multiply the code: an operation of more lines is not compiled.
MAX_LINES = 1_500


class Code:
    """The functions of one generated module. `namespace` has what they may use by name."""

    def __init__(self, **namespace: Any) -> None:
        self.namespace = namespace
        self.constants: dict[int, str] = {}
        self.functions: list[str] = []  # lines of the finished functions
        self.lines: list[str] = []  # of the function that is being generated
        self.line_count = self.name_count = 0

    def emit(self, depth: int, text: str) -> None:
        """Adds a line, indented by `depth`, to the function that is being generated."""
        self.line_count += 1
        if self.line_count > MAX_LINES:
            raise Unsupported("too many lines")
        self.lines.append(" " * depth + text)

    def new_name(self, letter: str) -> str:
        """Returns a variable name that is unique in the generated code."""
        self.name_count += 1
        return f"{letter}{self.name_count}"

    def constant(self, value: object) -> str:
        """Returns the name of an object in the generated code."""
        name = self.constants.get(id(value))
        if name is None:
            name = self.constants[id(value)] = self.new_name("k")
            # The namespace keeps the object alive, so no other object gets its id.
            self.namespace[name] = value
        return name

    def emit_function(self, signature: str, body: Callable[[], None]) -> None:
        """Adds a function, whose lines `body` emits."""
        outer, self.lines = self.lines, []
        body()
        self.functions += [f"def {signature}:", *self.lines]
        self.lines = outer

    def emit_return(self, expression: str) -> None:
        """Ends the function that is being generated."""
        self.emit(1, f"return {expression}")

    def compile(self) -> str:
        """Compiles the functions into the namespace; returns their source."""
        source = "\n".join(self.functions)
        exec(compile(source, "<operation>", "exec"), self.namespace)
        return source

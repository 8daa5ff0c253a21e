"""An executor that compiles query operations to Python, for any Strawberry schema. See README.md."""

from .cache import Counters
from .executor import CompiledExecutor, executor_class

__all__ = ["CompiledExecutor", "Counters", "executor_class"]

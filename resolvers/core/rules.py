"""Rules: whether the viewer may run a mutation on a record in its present state, and if not, why not.

A rule is one function of the viewer and the record. The mutation asks it about the entity that it has locked
(`UnitOfWork.require`), the field `viewerActions` about light rows (`resolvers.viewer_actions`), so that both give the
same errors.

    EVIDENCE = RecordRules("Evidence", state=EvidenceState.of_row)

    @EVIDENCE.rule("evidenceUpdate")
    def _update(viewer: Viewer, evidence: EvidenceState, *, signed_off: bool) -> Iterator[UserError]:
        ...

    @EVIDENCE.fact
    async def signed_off(loaders: Loaders, rows: Sequence[EvidenceRow]) -> list[bool]:
        ...

The first argument of a rule is the viewer, the second what the mutation knows without a further read. Each argument
after the `*` is a fact, which the mutation reads itself, and `viewerActions` with the function of its name: for all
rows at once, and only where a rule of the viewer's role needs it.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from auth import policy
from auth.viewer import Viewer
from domain.enums import Role, UserErrorCode
from domain.errors import ROLE_NOT_ALLOWED, UserError, user_error
from domain.sentences import say
from domain.submodules import import_submodules
from loaders.core.registry import Loaders


class RecordState(Protocol):
    """What every rule knows of a record: the learner whose record it belongs to, if any."""

    @property
    def learner_key(self) -> int | None:
        """Returns the key of the learner."""


@dataclass(frozen=True, slots=True)
class Owned:
    """The state of a record of which no rule knows more than the learner, or that belongs to none."""

    learner_key: int | None = None


S = TypeVar("S", bound=RecordState)
F = TypeVar("F", bound=Callable[..., Awaitable[Sequence[Any]]])
C = TypeVar("C", bound=Callable[..., Iterable[UserError]])

# The rules of each GraphQL type, which register themselves when they are defined.
_RULES: "dict[str, RecordRules[Any]]" = {}


class RecordRules(Generic[S]):
    """The rules of the mutations that take a record of one GraphQL type. `state` makes what they know from its row."""

    def __init__(self, type_name: str, state: Callable[[Any], S]) -> None:
        self.state = state
        self._checks: dict[str, Callable[..., Iterable[UserError]]] = {}
        self._facts_of: dict[str, tuple[str, ...]] = {}
        self.facts: dict[str, Callable[[Loaders, Sequence[Any]], Awaitable[Sequence[Any]]]] = {}
        _RULES[type_name] = self

    def rule(self, *mutations: str) -> Callable[[C], C]:
        """Marks the function that decides for these mutations."""

        def mark(check: C) -> C:
            parameters = inspect.signature(check).parameters.values()
            for mutation in mutations:
                self._checks[mutation] = check
                self._facts_of[mutation] = tuple(
                    each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY
                )
            return check

        return mark

    def by_role(self, *mutations: str) -> None:
        """Declares mutations that take such a record in every state: the role decides."""
        self.rule(*mutations)(_no_errors)

    def fact(self, read: F) -> F:
        """Marks the function that reads a fact for the light rows, in their order. Its name is that of the fact."""
        self.facts[read.__name__] = read
        return read

    @property
    def mutations(self) -> list[str]:
        """The mutations that take such a record, by name."""
        return sorted(self._checks)

    def facts_of(self, mutation: str) -> tuple[str, ...]:
        """Returns the names of the facts that the mutation's rule needs."""
        return self._facts_of[mutation]

    def errors(self, mutation: str, viewer: Viewer, record: S, **facts: Any) -> tuple[UserError, ...]:
        """Returns why the viewer may not run the mutation on the record; nothing if they may."""
        if not policy.may(viewer.role, mutation):
            return (user_error(UserErrorCode.NOT_ALLOWED, ROLE_NOT_ALLOWED),)
        return tuple(self._checks[mutation](viewer, record, **facts)) or own_record(viewer, (record.learner_key,))


def own_record(viewer: Viewer, learner_keys: Iterable[int | None]) -> tuple[UserError, ...]:
    """Returns the error of a change of the viewer's own learner record in another role; nothing for other records.

    An assessor who is also an apprentice does not assess themself.
    """
    if viewer.role is Role.LEARNER or viewer.own_learner_key is None or viewer.own_learner_key not in learner_keys:
        return ()
    message = say("OWN_RECORD")
    return (user_error(UserErrorCode.NOT_ALLOWED, message),)


def rules_by_type() -> "dict[str, RecordRules[Any]]":
    """Returns the rules of each GraphQL type that a mutation takes."""
    import_submodules("resolvers.rules")
    return _RULES


def _no_errors(viewer: Viewer, record: RecordState) -> Iterable[UserError]:
    return ()

"""One operation's loaders, each made when it is first asked for. A relation of the graph is a line here."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from db.enums import CriterionFilter
from loaders.aim import AimLoader, AimsOfLearnerLoader, ProgrammeLoader
from loaders.learner import LearnerLoader
from loaders.reading import Reading
from loaders.unit import CriteriaOfUnitLoader, CriterionLoader, ReachedLoader, UnitLoader, UnitsOfAimLoader
from loaders.user import ContactLoader, NamedUserLoader, UserLoader


class Loaders:
    """Loaders that share one `Reading`; named after what they give and by which key."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        # A relation with arguments has a loader for each set of them.
        self._by_arguments: dict[tuple[object, ...], object] = {}

    @cached_property
    def learner(self) -> LearnerLoader:
        return LearnerLoader(self.reading)

    @cached_property
    def aim(self) -> AimLoader:
        return AimLoader(self.reading)

    @cached_property
    def aims_of_learner(self) -> AimsOfLearnerLoader:
        return AimsOfLearnerLoader(self.reading, self.aim)

    @cached_property
    def programme(self) -> ProgrammeLoader:
        return ProgrammeLoader(self.reading, self.aims_of_learner)

    @cached_property
    def units_of_aim(self) -> UnitsOfAimLoader:
        return UnitsOfAimLoader(self.reading, self.aim)

    @cached_property
    def unit(self) -> UnitLoader:
        return UnitLoader(self.reading, self.units_of_aim)

    @cached_property
    def reached(self) -> ReachedLoader:
        return ReachedLoader(self.reading)

    def criteria_of_unit(self, which: CriterionFilter) -> CriteriaOfUnitLoader:
        return self._with(CriteriaOfUnitLoader, self.reached, which)

    @cached_property
    def criterion(self) -> CriterionLoader:
        return CriterionLoader(self.reading, self.units_of_aim, self.criteria_of_unit(CriterionFilter.ALL))

    @cached_property
    def user(self) -> UserLoader:
        return UserLoader(self.reading)

    @cached_property
    def named_user(self) -> NamedUserLoader:
        return NamedUserLoader(self.reading)

    @cached_property
    def contact(self) -> ContactLoader:
        return ContactLoader(self.reading)

    def _with(self, loader: Callable[..., Any], *arguments: Any) -> Any:
        """The one loader of that kind with those arguments."""
        key = (loader, *arguments)
        if key not in self._by_arguments:
            self._by_arguments[key] = loader(*arguments)
        return self._by_arguments[key]

"""One operation's loaders, each made when it is first asked for. A relation of the graph is a line here."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from domain.enums import CriterionFilter, LearnerOrder
from loaders.action import ActionLoader, ActionsOfSessionLoader, FilesOfActionLoader
from loaders.aim import AimLoader, AimsOfLearnerLoader, ProgrammeLoader
from loaders.audit_event import AuditEventLoader
from loaders.core.learner_list import LearnerList, PagesLoader
from loaders.core.read_session import ReadSession
from loaders.cv import CvDocumentsLoader, CvSectionsLoader
from loaders.employer import EmployerLoader, SitesOfEmployerLoader
from loaders.evidence import EvidenceLoader, EvidenceOfActionLoader, MappedEvidenceLoader
from loaders.evidence_detail import EvidenceSignaturesLoader, MappingsLoader, VersionsLoader
from loaders.file import FileLoader, NamedFileLoader
from loaders.kpis import KpisLoader, KpisOfEmployerLoader
from loaders.learner import LearnerFilter, LearnerLoader
from loaders.learners_of_employer import LearnersOfEmployerLoader
from loaders.off_the_job import OffTheJobLoader
from loaders.qualification import QualificationLoader
from loaders.resource import AimResourcesLoader, ResourceCountLoader, ResourceLoader
from loaders.review_schedule import ReviewScheduleLoader
from loaders.role_grant import RoleGrantRow, SitesOfOverviewLoader, own_grants
from loaders.session import AimsOfSessionLoader, FilesOfSessionLoader, SessionLoader
from loaders.signature_request import AwaitingSignatureLoader, SignatureRequestLoader, SlotsLoader
from loaders.time_log_entry import CalendarLoader, TimeLogEntryLoader
from loaders.unit import (
    CriteriaOfUnitLoader,
    CriterionLoader,
    CriterionProgressLoader,
    UnitLoader,
    UnitProgressLoader,
    UnitSignaturesLoader,
    UnitsOfAimLoader,
)
from loaders.unit_funnel import UnitFunnelLoader
from loaders.upcoming import UpcomingLoader
from loaders.user import ContactLoader, ManagersOfLearnerLoader, NamedUserLoader, UserLoader

V = TypeVar("V")


class Loaders:
    """Loaders that share one `ReadSession`; named after what they give and by which key."""

    def __init__(self, reading: ReadSession) -> None:
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
    def criterion_progress(self) -> CriterionProgressLoader:
        return CriterionProgressLoader(self.reading)

    def criteria_of_unit(self, which: CriterionFilter) -> CriteriaOfUnitLoader:
        return self._with(CriteriaOfUnitLoader, self.criterion_progress, which)

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

    @cached_property
    def unit_funnel(self) -> UnitFunnelLoader:
        return UnitFunnelLoader(self.reading)

    @cached_property
    def unit_progress(self) -> UnitProgressLoader:
        return UnitProgressLoader(self.criteria_of_unit(CriterionFilter.ALL))

    @cached_property
    def unit_signatures(self) -> UnitSignaturesLoader:
        return UnitSignaturesLoader(self.reading)

    @cached_property
    def file(self) -> FileLoader:
        return FileLoader(self.reading)

    @cached_property
    def named_file(self) -> NamedFileLoader:
        return NamedFileLoader(self.reading)

    @cached_property
    def evidence(self) -> EvidenceLoader:
        return EvidenceLoader(self.reading)

    @cached_property
    def evidence_of_action(self) -> EvidenceOfActionLoader:
        return EvidenceOfActionLoader(self.reading)

    @cached_property
    def evidence_of_unit(self) -> MappedEvidenceLoader:
        return MappedEvidenceLoader(self.reading, by_unit=True)

    @cached_property
    def evidence_of_criterion(self) -> MappedEvidenceLoader:
        return MappedEvidenceLoader(self.reading, by_unit=False)

    @cached_property
    def versions(self) -> VersionsLoader:
        return VersionsLoader(self.reading)

    @cached_property
    def evidence_signatures(self) -> EvidenceSignaturesLoader:
        return EvidenceSignaturesLoader(self.reading)

    @cached_property
    def mappings(self) -> MappingsLoader:
        return MappingsLoader(self.reading)

    @cached_property
    def upcoming(self) -> UpcomingLoader:
        return UpcomingLoader(self.reading)

    @cached_property
    def review_schedule(self) -> ReviewScheduleLoader:
        return ReviewScheduleLoader(self.reading)

    @cached_property
    def session(self) -> SessionLoader:
        return SessionLoader(self.reading)

    @cached_property
    def aims_of_session(self) -> AimsOfSessionLoader:
        return AimsOfSessionLoader(self.reading, self.aim)

    @cached_property
    def files_of_session(self) -> FilesOfSessionLoader:
        return FilesOfSessionLoader(self.reading)

    @cached_property
    def actions_of_session(self) -> ActionsOfSessionLoader:
        return ActionsOfSessionLoader(self.reading)

    @cached_property
    def action(self) -> ActionLoader:
        return ActionLoader(self.reading)

    @cached_property
    def files_of_action(self) -> FilesOfActionLoader:
        return FilesOfActionLoader(self.reading)

    @cached_property
    def time_log_entry(self) -> TimeLogEntryLoader:
        return TimeLogEntryLoader(self.reading)

    @cached_property
    def signature_request(self) -> SignatureRequestLoader:
        return SignatureRequestLoader(self.reading)

    @cached_property
    def slots(self) -> SlotsLoader:
        return SlotsLoader(self.reading)

    @cached_property
    def awaiting_signature(self) -> AwaitingSignatureLoader:
        return AwaitingSignatureLoader(self.reading)

    @cached_property
    def resource(self) -> ResourceLoader:
        return ResourceLoader(self.reading)

    @cached_property
    def resources_of_aim(self) -> AimResourcesLoader:
        return AimResourcesLoader(self.reading)

    @cached_property
    def resource_count(self) -> ResourceCountLoader:
        return ResourceCountLoader(self.reading)

    @cached_property
    def cv_sections(self) -> CvSectionsLoader:
        return CvSectionsLoader(self.reading)

    @cached_property
    def cv_documents(self) -> CvDocumentsLoader:
        return CvDocumentsLoader(self.reading)

    @cached_property
    def kpis(self) -> KpisLoader:
        return KpisLoader(self.reading)

    @cached_property
    def kpis_of_employer(self) -> KpisOfEmployerLoader:
        return KpisOfEmployerLoader(self.reading)

    @cached_property
    def off_the_job(self) -> OffTheJobLoader:
        return OffTheJobLoader(self.reading)

    @cached_property
    def employer(self) -> EmployerLoader:
        return EmployerLoader(self.reading)

    @cached_property
    def sites_of_employer(self) -> SitesOfEmployerLoader:
        return SitesOfEmployerLoader(self.reading)

    @cached_property
    def sites_of_overview(self) -> SitesOfOverviewLoader:
        return SitesOfOverviewLoader(self.reading)

    @cached_property
    def managers_of_learner(self) -> ManagersOfLearnerLoader:
        return ManagersOfLearnerLoader(self.reading)

    @cached_property
    def qualification(self) -> QualificationLoader:
        return QualificationLoader(self.reading)

    @cached_property
    def audit_event(self) -> AuditEventLoader:
        return AuditEventLoader(self.reading)

    async def own_grants(self) -> list[RoleGrantRow]:
        return await own_grants(self.reading)

    def learners_of_employer(
        self, asked: LearnerFilter, which: LearnerOrder, first: int, after: str | None
    ) -> LearnersOfEmployerLoader:
        """Pages of an employer's learners. Raises BadArgument."""
        key = (LearnersOfEmployerLoader, asked, which, first, after)
        return self._made(key, lambda: LearnersOfEmployerLoader(self.reading, asked, which, first, after))

    def pages(self, listed: LearnerList[V], first: int | None, after: str | None, **asked: Any) -> PagesLoader[V]:
        """Pages of one of a learner's lists; conditions that are None are not asked for. Raises BadArgument."""
        held = {name: value for name, value in asked.items() if value is not None}
        key = (listed, first, after, *sorted(held.items()))
        return self._made(key, lambda: PagesLoader(self.reading, listed, first, after, held))

    def time_log_calendar(self, **asked: Any) -> CalendarLoader:
        """As `pages`, day by day, from `first_day` to `last_day`."""
        held = {name: value for name, value in asked.items() if value is not None}
        return self._made((CalendarLoader, *sorted(held.items())), lambda: CalendarLoader(self.reading, held))

    def _with(self, loader: Callable[..., Any], *arguments: Any) -> Any:
        """The one loader of that kind with those arguments."""
        return self._made((loader, *arguments), lambda: loader(*arguments))

    def _made(self, key: tuple[object, ...], make: Callable[[], Any]) -> Any:
        if key not in self._by_arguments:
            self._by_arguments[key] = make()
        return self._by_arguments[key]

"""The root of every read."""

from typing import Annotated

import strawberry

from resolvers import audit_event as audit_
from resolvers import employer as employers_
from resolvers import guide as guides_
from resolvers import learner as learners_
from resolvers import node as nodes_
from resolvers import portfolio as portfolio_
from resolvers import qualification as qualifications_
from resolvers import user as users_
from schema.common_arguments import After, First, Id, Search
from schema.connection import Connection
from schema.enums import LearnerOrder, Role
from schema.field_builders import Info, selects
from schema.node import Node
from schema.types.action import Action
from schema.types.aim import Aim
from schema.types.audit_event import AuditEvent
from schema.types.employer import Employer
from schema.types.evidence import Evidence
from schema.types.guide import Guide
from schema.types.learner import Learner, LearnerFilter
from schema.types.provider_settings import ProviderSettings
from schema.types.qualification import Qualification
from schema.types.session import Session
from schema.types.signature_request import SignatureRequest
from schema.types.unit import Unit
from schema.types.user import User
from schema.types.viewer import Viewer

OfAssessor = Annotated[
    strawberry.ID | None, strawberry.argument(description="Of this assessor's: a user's id, as Aim.assessor gives it.")
]
OfEmployer = Annotated[strawberry.ID | None, strawberry.argument(description="Of the learners at this employer site.")]


@strawberry.type(
    description="Everything that can be read. What the viewer may not see is absent, as if it did not exist."
)
class Query:
    @strawberry.field(description="Who is signed in.")
    def viewer(self, info: Info) -> Viewer:
        return info.context.viewer_or_raise()  # type: ignore[return-value]

    @strawberry.field(description="Any record by its id; null if there is none that the viewer may see.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return await nodes_.by_id(info.context, id)

    @strawberry.field(
        description="Records by their ids, in order; at most 100; null for each that the viewer may not see."
    )
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="The records' ids.")]
    ) -> list[Node | None]:
        return await nodes_.by_ids(info.context, ids)

    @strawberry.field(description="One learner; null if there is none that the viewer may see.")
    async def learner(self, info: Info, id: Id) -> Learner | None:
        return await nodes_.of_type(info.context, "Learner", id)

    @strawberry.field(description="The learners that the viewer may see.")
    async def learners(
        self,
        info: Info,
        filter: Annotated[LearnerFilter | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[
            LearnerOrder | None, strawberry.argument(description="In which order.")
        ] = LearnerOrder.NAME_ASC,
        first: First = 20,
        after: After = None,
    ) -> Connection[Learner]:
        asked = vars(filter) if filter else {}
        counted = selects(info, "totalCount")
        return await learners_.page(
            info.context, **asked, order_by=order_by or LearnerOrder.NAME_ASC, first=first, after=after, counted=counted
        )

    @strawberry.field(description="One aim; null if there is none that the viewer may see.")
    async def aim(self, info: Info, id: Id) -> Aim | None:
        return await nodes_.of_type(info.context, "Aim", id)

    @strawberry.field(description="One learner's unit; null if there is none that the viewer may see.")
    async def unit(self, info: Info, id: Id) -> Unit | None:
        return await nodes_.of_type(info.context, "Unit", id)

    @strawberry.field(description="One piece of evidence; null if there is none that the viewer may see.")
    async def evidence(self, info: Info, id: Id) -> Evidence | None:
        return await nodes_.of_type(info.context, "Evidence", id)

    @strawberry.field(
        description="Evidence of all learners that the viewer may see, what was submitted first at the front: what "
        "waits for its assessment, and how long (daysWaiting)."
    )
    async def evidence_library(
        self,
        info: Info,
        awaiting_assessment_only: Annotated[
            bool | None, strawberry.argument(description="Only what is SUBMITTED or RESUBMITTED.")
        ] = False,
        assessor_id: OfAssessor = None,
        employer_id: OfEmployer = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Evidence]:
        return await portfolio_.evidence_of_viewer(
            info.context,
            awaiting_assessment_only=awaiting_assessment_only,
            assessor_id=assessor_id,
            employer_id=employer_id,
            first=first,
            after=after,
            counted=selects(info, "totalCount"),
        )

    @strawberry.field(
        description="Actions of all learners that the viewer may see, the earliest target first: what is overdue, whose."
    )
    async def actions(
        self,
        info: Info,
        overdue_only: Annotated[bool | None, strawberry.argument(description="Only those that are overdue.")] = False,
        outstanding_only: Annotated[
            bool | None, strawberry.argument(description="Only those that are not COMPLETE.")
        ] = False,
        assessor_id: OfAssessor = None,
        employer_id: OfEmployer = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Action]:
        return await portfolio_.actions_of_viewer(
            info.context,
            overdue_only=overdue_only,
            outstanding_only=outstanding_only,
            assessor_id=assessor_id,
            employer_id=employer_id,
            first=first,
            after=after,
            counted=selects(info, "totalCount"),
        )

    @strawberry.field(description="One session; null if there is none that the viewer may see.")
    async def session(self, info: Info, id: Id) -> Session | None:
        return await nodes_.of_type(info.context, "Session", id)

    @strawberry.field(description="One document to sign; null if there is none that the viewer may see.")
    async def signature_request(self, info: Info, id: Id) -> SignatureRequest | None:
        return await nodes_.of_type(info.context, "SignatureRequest", id)

    @strawberry.field(description="One employer; null if there is none that the viewer may see.")
    async def employer(self, info: Info, id: Id) -> Employer | None:
        return await nodes_.of_type(info.context, "Employer", id)

    @strawberry.field(description="The employers that the viewer may see, by name.")
    async def employers(
        self, info: Info, search: Search = None, first: First = 20, after: After = None
    ) -> Connection[Employer]:
        return await employers_.page(
            info.context, search=search, first=first, after=after, counted=selects(info, "totalCount")
        )

    @strawberry.field(description="The provider's qualifications, by title; each version is one.")
    async def qualifications(
        self, info: Info, search: Search = None, first: First = 20, after: After = None
    ) -> Connection[Qualification]:
        return await qualifications_.page(
            info.context, search=search, first=first, after=after, counted=selects(info, "totalCount")
        )

    @strawberry.field(description="The people whom the viewer may see, by name; archived accounts are left out.")
    async def users(
        self,
        info: Info,
        search: Search = None,
        role: Annotated[Role | None, strawberry.argument(description="Those who hold this role.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[User]:
        counted = selects(info, "totalCount")
        return await users_.page(info.context, search=search, role=role, first=first, after=after, counted=counted)

    @strawberry.field(description="The knowledge base, in its order [001][002].")
    def guides(
        self,
        info: Info,
        audience: Annotated[Role | None, strawberry.argument(description="Those written for this role.")] = None,
    ) -> list[Guide]:
        return guides_.for_audience(info.context, audience)  # type: ignore[return-value]

    @strawberry.field(description="One page of the knowledge base; null if there is none of that name.")
    def guide(
        self, info: Info, slug: Annotated[str, strawberry.argument(description="The guide's slug.")]
    ) -> Guide | None:
        return guides_.by_slug(info.context, slug)  # type: ignore[return-value]

    @strawberry.field(description="The settings of the viewer's provider.")
    def provider_settings(self, info: Info) -> ProviderSettings:
        return info.context.require_active_viewer().rules  # type: ignore[return-value]

    @strawberry.field(
        description="The record of who did what, newest first: a Master Admin's provider, an Assessor's case, an IQA's "
        "sample, a Learner's own signatures; empty for every other role."
    )
    async def audit_trail(
        self,
        info: Info,
        subject_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Lines about the record with this id.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[AuditEvent]:
        counted = selects(info, "totalCount")
        return await audit_.page(info.context, subject_id=subject_id, first=first, after=after, counted=counted)

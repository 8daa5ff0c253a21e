"""Mutations of people: invite and archive, grant and revoke roles, allocate learners and sites."""

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from loaders.user import NamedUserLoader
from resolvers import allocation, role_grant
from resolvers import user as users
from schema.enums import Role
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
from schema.types.user import User

UserId = Annotated[strawberry.ID, strawberry.argument(description="The person.")]
LearnerIds = Annotated[
    list[strawberry.ID],
    strawberry.argument(description="Learners whom the viewer may see, at most 100: all of them or none."),
]
EmployerIds = Annotated[
    list[strawberry.ID], strawberry.argument(description="Employer sites, at most 100: all of them or none.")
]


@strawberry.input(description="Somebody to invite.")
class UserInviteInput:
    name: str = attribute("Their name, in a line of 200 characters at most.")
    email: str = attribute("Where the invitation goes; in lower case, it is their username.")
    role: Role = attribute("What they are to act as. An Assessor and a Basic Admin invite an EMPLOYER_MANAGER only.")


@strawberry.type(description="A person, changed.")
class UserPayload:
    user: User | None = attribute("The person as they now are.")
    errors: list[UserError] = errors_field()


async def _person(info: Info, write: Awaitable[int]) -> UserPayload:
    # By name: whoever took a role or a learner away may have lost sight of the person by it.
    return await answer(info, UserPayload, write, user=lambda key, load: load[NamedUserLoader].load(key))


@strawberry.type
class UserMutations:
    @strawberry.mutation(
        description="Makes a login and sends its invitation: an e-mail with the username and a link, good for 7 days, with "
        "which the person chooses a password. Somebody who has not signed in yet is sent a new link."
    )
    async def user_invite(
        self, info: Info, input: Annotated[UserInviteInput, strawberry.argument(description="Whom.")]
    ) -> UserPayload:
        return await _person(info, users.invite(info.context, **plain(input)))

    @strawberry.mutation(
        description="Ends an account at once: its sign-ins, streams, links and allocations. The name stays where the person "
        "took part, and their aims stay theirs until `aimUpdate`."
    )
    async def user_archive(self, info: Info, id: Id) -> UserPayload:
        return await _person(info, users.archive(info.context, id=id))

    @strawberry.mutation(
        description="Gives a role; one that they hold already changes nothing. A LEARNER is made by `learnerEnrol`."
    )
    async def role_grant(
        self, info: Info, user_id: UserId, role: Annotated[Role, strawberry.argument(description="The role to give.")]
    ) -> UserPayload:
        return await _person(info, role_grant.grant(info.context, user_id=user_id, role=role))

    @strawberry.mutation(description="Takes a role away, with its allocations and every sign-in in it, at once.")
    async def role_revoke(
        self, info: Info, user_id: UserId, role: Annotated[Role, strawberry.argument(description="The role to take.")]
    ) -> UserPayload:
        return await _person(info, role_grant.revoke(info.context, user_id=user_id, role=role))

    @strawberry.mutation(description="Lets an Employer Manager see learners; doing it again changes nothing.")
    async def employer_manager_allocate(self, info: Info, user_id: UserId, learner_ids: LearnerIds) -> UserPayload:
        write = allocation.manager_allocate(info.context, user_id=user_id, learner_ids=learner_ids)
        return await _person(info, write)

    @strawberry.mutation(description="Takes learners from an Employer Manager's sight, from the next request on.")
    async def employer_manager_deallocate(self, info: Info, user_id: UserId, learner_ids: LearnerIds) -> UserPayload:
        write = allocation.manager_deallocate(info.context, user_id=user_id, learner_ids=learner_ids)
        return await _person(info, write)

    @strawberry.mutation(
        description="Lets an Employer Overview see every learner of sites; doing it again changes nothing."
    )
    async def employer_overview_allocate(self, info: Info, user_id: UserId, employer_ids: EmployerIds) -> UserPayload:
        write = allocation.overview_allocate(info.context, user_id=user_id, employer_ids=employer_ids)
        return await _person(info, write)

    @strawberry.mutation(description="Takes sites from an Employer Overview's sight, from the next request on.")
    async def employer_overview_deallocate(self, info: Info, user_id: UserId, employer_ids: EmployerIds) -> UserPayload:
        write = allocation.overview_deallocate(info.context, user_id=user_id, employer_ids=employer_ids)
        return await _person(info, write)

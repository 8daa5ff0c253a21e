"""Mutations of people: invite and archive, grant and revoke roles, allocate learners and sites."""

import strawberry

from loaders.user import NamedUserLoader
from resolvers import allocation
from resolvers import role_grant as role_grants
from resolvers import user as users
from schema.enums import Role
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.user import User

USER_ID = required(strawberry.ID, "The person.")
LEARNER_IDS = required(list[strawberry.ID], "Learners whom the viewer may see, at most 100: all of them or none.")
EMPLOYER_IDS = required(list[strawberry.ID], "Employer sites, at most 100: all of them or none.")


@strawberry.input(description="Somebody to invite.")
class UserInviteInput:
    name: str = attribute("Their name, in a line of 200 characters at most.")
    email: str = attribute("Where the invitation goes; in lower case, it is their username.")
    role: Role = attribute("What they are to act as. An Assessor and a Basic Admin invite an EMPLOYER_MANAGER only.")


@payload("The person, changed.")
class UserPayload:
    # By name: a viewer who took a role or a learner away may no longer see the person otherwise.
    user: User | None = changed(NamedUserLoader, "The person as they now are.")


@strawberry.type
class UserMutations:
    user_invite = mutation(
        UserPayload,
        users.invite,
        "Creates a login and sends its invitation: an e-mail with the username and a link, valid for 7 days, with which "
        "the person chooses a password. A person who has not signed in yet is sent a new link.",
        input=required(UserInviteInput, "Whom."),
    )
    user_archive = mutation(
        UserPayload,
        users.archive,
        "Ends an account at once: its sign-ins, streams, links and allocations. The name stays on records, and their aims "
        "stay theirs until `aimUpdate`.",
        id=Id,
    )
    role_grant = mutation(
        UserPayload,
        role_grants.grant,
        "Gives a role; one that they hold already changes nothing. A LEARNER is made by `learnerEnrol`.",
        user_id=USER_ID,
        role=required(Role, "The role to give."),
    )
    role_revoke = mutation(
        UserPayload,
        role_grants.revoke,
        "Takes a role away, with its allocations and every sign-in in it, at once.",
        user_id=USER_ID,
        role=required(Role, "The role to take."),
    )
    employer_manager_allocate = mutation(
        UserPayload,
        allocation.manager_allocate,
        "Lets an Employer Manager see learners; doing it again changes nothing.",
        user_id=USER_ID,
        learner_ids=LEARNER_IDS,
    )
    employer_manager_deallocate = mutation(
        UserPayload,
        allocation.manager_deallocate,
        "Takes learners from an Employer Manager's sight, from the next request on.",
        user_id=USER_ID,
        learner_ids=LEARNER_IDS,
    )
    employer_overview_allocate = mutation(
        UserPayload,
        allocation.overview_allocate,
        "Lets an Employer Overview see every learner of sites; doing it again changes nothing.",
        user_id=USER_ID,
        employer_ids=EMPLOYER_IDS,
    )
    employer_overview_deallocate = mutation(
        UserPayload,
        allocation.overview_deallocate,
        "Takes sites from an Employer Overview's sight, from the next request on.",
        user_id=USER_ID,
        employer_ids=EMPLOYER_IDS,
    )

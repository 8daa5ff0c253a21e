"""Mutations of users: invite and archive, grant and revoke roles, allocate learners and sites."""

import strawberry

from loaders.user import NamedUserLoader
from resolvers.user import account, allocation
from resolvers.user import role_grant as role_grants
from schema.enums import Role
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.user import User

USER_ID = required(strawberry.ID, "The user.")
LEARNER_IDS = required(
    list[strawberry.ID], "Learners whom the viewer sees, up to 100. All of them are processed, or none."
)
EMPLOYER_IDS = required(list[strawberry.ID], "Employer sites, up to 100. All of them are processed, or none.")


@strawberry.input(description="A person to invite.")
class UserInviteInput:
    name: str = attribute("The person's name: one line, up to 200 characters.")
    email: str = attribute("The address to which the invitation is sent. In lower case it is the username.")
    role: Role = attribute("The role of the person. An Assessor and a Basic Admin can invite an EMPLOYER_MANAGER only.")


@payload("The result of a change of a user.")
class UserPayload:
    # Read by name, because after the change the viewer may not see the user in other ways.
    user: User | None = changed(NamedUserLoader, "The user after the change.")


@strawberry.type
class UserMutations:
    user_invite = mutation(
        UserPayload,
        account.invite,
        "Creates an account and sends the invitation: an e-mail with the username and a link, valid for 7 days, to "
        "choose a password. A person who was invited and has not signed in yet gets a new link.",
        input=required(UserInviteInput, "The person."),
    )
    user_archive = mutation(
        UserPayload,
        account.archive,
        "Archives an account at once: the user is signed out, and links and allocations end. Records keep the name, "
        "and aims keep their assessor and IQA until `aimUpdate` changes them.",
        id=Id,
    )
    role_grant = mutation(
        UserPayload,
        role_grants.grant,
        "Gives a user a role. A role that they already have changes nothing. Use `learnerEnrol` to create a LEARNER.",
        user_id=USER_ID,
        role=required(Role, "The role to give."),
    )
    role_revoke = mutation(
        UserPayload,
        role_grants.revoke,
        "Removes a role at once, with its allocations. The user is signed out where they use it.",
        user_id=USER_ID,
        role=required(Role, "The role to remove."),
    )
    employer_manager_allocate = mutation(
        UserPayload,
        allocation.manager_allocate,
        "Lets an Employer Manager see learners. Repeating it changes nothing.",
        user_id=USER_ID,
        learner_ids=LEARNER_IDS,
    )
    employer_manager_deallocate = mutation(
        UserPayload,
        allocation.manager_deallocate,
        "Removes learners from those whom an Employer Manager sees, from the next request on.",
        user_id=USER_ID,
        learner_ids=LEARNER_IDS,
    )
    employer_overview_allocate = mutation(
        UserPayload,
        allocation.overview_allocate,
        "Lets an Employer Overview see every learner of sites. Repeating it changes nothing.",
        user_id=USER_ID,
        employer_ids=EMPLOYER_IDS,
    )
    employer_overview_deallocate = mutation(
        UserPayload,
        allocation.overview_deallocate,
        "Removes sites from those whose learners an Employer Overview sees, from the next request on.",
        user_id=USER_ID,
        employer_ids=EMPLOYER_IDS,
    )

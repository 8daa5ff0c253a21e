"""Mutations of users: invite and archive, grant and revoke roles, allocate learners and sites."""

import strawberry

from loaders.aim import AimLoader
from loaders.learner import LearnerLoader
from loaders.session import SessionLoader
from loaders.user import NamedUserLoader
from resolvers.user import account, allocation, hand_over, profile
from resolvers.user import role_grant as role_grants
from schema.enums import Role
from schema.field_builders import Id, attribute
from schema.payload import changed, changed_all, mutation, payload, required
from schema.types.aim import Aim
from schema.types.learner import Learner
from schema.types.session import Session
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
    learners: list[Learner] = changed_all(
        LearnerLoader,
        "The learners whom the change concerns, of those whom the viewer may see: of an allocation or its end, with "
        "their managers after the change, and the user's own record after a new name or photo. Else empty.",
        of="learners",
    )


@strawberry.input(description="The changes of a user; omitted fields are not changed.")
class UserUpdateInput:
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The person's name: one line, up to 200 characters."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The new e-mail address. It counts once the person has opened the link that is sent to it; the old "
        "address is notified, and links sent to it no longer work.",
    )


@strawberry.input(description="The aims that go from one assessor to another.")
class AssessorHandOverInput:
    from_user_id: strawberry.ID = attribute("The assessor who hands over.")
    to_user_id: strawberry.ID = attribute("The assessor who takes over: not the IQA of one of the aims.")
    aim_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Aims of the first assessor, up to 500; omitted, all of them, ended ones included."
    )


@payload("The result of handing aims over.")
class AssessorHandOverPayload:
    aims: list[Aim] = changed_all(AimLoader, "The aims that have a new assessor.", of="aims")
    sessions: list[Session] = changed_all(
        SessionLoader, "The planned sessions to come that have a new assessor.", of="sessions"
    )


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
        "Archives an account at once: the user is signed out, and links and allocations end. Records keep the name. "
        "While the user is assessor or IQA of an aim that has not ended, or has planned sessions, it is refused.",
        id=Id,
    )
    user_update = mutation(
        UserPayload,
        profile.update,
        "Corrects a name, or an e-mail address. Users may change their own name; an assessor corrects the learners of "
        "the caseload, a Basic Admin learners and Employer Managers, a Master Admin everybody.",
        id=Id,
        input=required(UserUpdateInput, "The changes."),
    )
    invitation_resend = mutation(
        UserPayload,
        profile.invitation_resend,
        "Sends a new invitation to a user who has not used theirs. The previous link no longer works.",
        user_id=USER_ID,
    )
    assessor_hand_over = mutation(
        AssessorHandOverPayload,
        hand_over.assessor_hand_over,
        "Hands aims, the planned sessions about them and the evidence that waits over to another assessor. The "
        "learners and both assessors get an e-mail.",
        input=required(AssessorHandOverInput, "Who hands what over to whom."),
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

"""What a viewer may see, as SQL conditions for the `where` of a select. This is the only place that decides it.

| role | learners | aims |
|---|---|---|
| LEARNER | their own record | all of their own |
| ASSESSOR | those with an aim where they are the assessor; those they enrolled, if there is no aim yet | those aims |
| IQA | those with an aim where they are the IQA | those aims |
| EMPLOYER_MANAGER | those allocated to them | all of those learners' |
| EMPLOYER_OVERVIEW | those at the sites allocated to them | all of those learners' |
| BASIC_ADMIN, MASTER_ADMIN | all of the provider's | all of the provider's |

A record of a learner that belongs to an aim is visible with the aim, any other with the learner.

The conditions depend on the role only. The viewer is bound when a statement runs (`viewer_params(viewer)`), so that a
statement is built once for each role. A statement without its viewer fails.
"""

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, bindparam, false, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from auth.viewer import Viewer
from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.base import Key
from db.models.employer import Employer
from db.models.entity import Visibility
from db.models.file import File
from db.models.learner import Learner
from db.models.review import Review, ReviewDocument
from db.models.session import SessionAim, SessionFile
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from db.sql.in_array import in_array
from domain import signing_mutations
from domain.enums import Role

Condition = ColumnElement[bool]
Column = InstrumentedAttribute[Any] | ColumnElement[Any]

# Everybody at a provider sees the names of its staff, but not of all learners and employers' users.
STAFF = (Role.ASSESSOR, Role.IQA, Role.BASIC_ADMIN, Role.MASTER_ADMIN)
ADMINS = (Role.BASIC_ADMIN, Role.MASTER_ADMIN)
EMPLOYERS = (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)
# Roles that see aims rather than whole learners.
BY_AIM = (Role.ASSESSOR, Role.IQA)

VIEWER_USER = bindparam("viewer_user", type_=Key)
VIEWER_PROVIDER = bindparam("viewer_provider", type_=Key)


def viewer_params(viewer: Viewer) -> dict[str, int]:
    """Returns the parameters of a scoped statement."""
    return {"viewer_user": viewer.user_key, "viewer_provider": viewer.provider_key}


def of_provider(table: type[Any]) -> Condition:
    """The condition that a row belongs to the viewer's provider."""
    return table.provider_id == VIEWER_PROVIDER


def visible_learners(role: Role) -> Select[int] | CompoundSelect[int]:
    """Returns a select of the keys of the visible learners."""
    match role:
        case Role.LEARNER:
            return select(Learner.id).where(Learner.user_id == VIEWER_USER, of_provider(Learner))
        case Role.ASSESSOR:
            return union_all(
                select(Aim.learner_id).where(Aim.assessor_id == VIEWER_USER, of_provider(Aim)),
                select(Learner.id).where(Learner.enrolled_by_id == VIEWER_USER, of_provider(Learner), ~_has_aim()),
            )
        case Role.IQA:
            return select(Aim.learner_id).where(Aim.iqa_id == VIEWER_USER, of_provider(Aim))
        case Role.EMPLOYER_MANAGER:
            return select(ManagerAllocation.learner_id).where(
                ManagerAllocation.user_id == VIEWER_USER, of_provider(ManagerAllocation)
            )
        case Role.EMPLOYER_OVERVIEW:
            return select(Learner.id).where(Learner.employer_id.in_(_overview_sites()), of_provider(Learner))
        case Role.BASIC_ADMIN | Role.MASTER_ADMIN:
            return select(Learner.id).where(of_provider(Learner))
    return select(Learner.id).where(false())


def sees_learner(role: Role, learner_id: Column) -> Condition:
    """The condition that a column holds the key of a visible learner."""
    if learner_id is Learner.id:
        # The learner's row is in the statement already, which saves a subquery.
        match role:
            case Role.LEARNER:
                return and_(Learner.user_id == VIEWER_USER, of_provider(Learner))
            case Role.EMPLOYER_OVERVIEW:
                return and_(Learner.employer_id.in_(_overview_sites()), of_provider(Learner))
            case Role.BASIC_ADMIN | Role.MASTER_ADMIN:
                return of_provider(Learner)
    return learner_id.in_(visible_learners(role))


def sees_aim(role: Role, aim: Any = Aim) -> Condition:
    """The condition that an aim is visible; `aim` is the table or an alias of it."""
    match role:
        case Role.ASSESSOR:
            return and_(aim.assessor_id == VIEWER_USER, of_provider(aim))
        case Role.IQA:
            return and_(aim.iqa_id == VIEWER_USER, of_provider(aim))
    return and_(sees_learner(role, aim.learner_id), of_provider(aim))


def sees_record(role: Role, learner_id: Column, aim_id: Column, one: bool = False) -> Condition:
    """The condition that a learner's record is visible: with its aim if it has one, otherwise with the learner."""
    if role not in BY_AIM:
        return sees_learner(role, learner_id)
    aims = select(Aim.id).where(sees_aim(role))
    if not getattr(aim_id, "nullable", True):
        aim = aliased(Aim)
        is_seen = select(aim.id).where(aim.id == aim_id, sees_aim(role, aim)).correlate_except(aim).exists()
        return is_seen if one else in_array(aim_id, aims)
    # The condition on the learner follows from that on the aim, but lets the database use the index by learner.
    return and_(sees_learner(role, learner_id), or_(aim_id.is_(None), aim_id.in_(aims)))


def sees_session(role: Role, session_id: Column, learner_id: Column) -> Condition:
    """The condition that a session is visible: it is about a visible aim, or about no aim in particular."""
    seen = sees_learner(role, learner_id)
    if role in BY_AIM:
        about = select(SessionAim.session_id).where(SessionAim.session_id == session_id)
        theirs = about.join(Aim, Aim.id == SessionAim.aim_id).where(sees_aim(role))
        return and_(seen, or_(~about.exists(), theirs.exists()))
    return seen


def sees_sampling(role: Role) -> Condition:
    """The condition that the viewer sees anything of internal quality assurance at all."""
    return true() if role in BY_AIM or role is Role.MASTER_ADMIN else false()


def sees_quality_assurance(role: Role, aim_id: Column) -> Condition:
    """The condition that samples of an aim are visible: to its assessor, its IQA and Master Admins only."""
    return and_(sees_sampling(role), aim_id.in_(select(Aim.id).where(sees_aim(role))))


def sees_document(role: Role, request_id: Column, learner_id: Column) -> Condition:
    """The condition that a document to sign is visible: that of a review with its session, others with the learner."""
    seen = sees_learner(role, learner_id)
    if role in BY_AIM:
        of_review = select(ReviewDocument.request_id).where(ReviewDocument.request_id == request_id)
        theirs = of_review.join(Review, Review.id == ReviewDocument.review_id).where(
            sees_session(role, Review.session_id, Review.learner_id)
        )
        return and_(seen, or_(~of_review.exists(), theirs.exists()))
    return seen


def sees_file(role: Role, file: Any = File) -> Condition:
    """The condition that a file is visible: to its uploader until a record uses it, then with that record."""
    unused = and_(file.learner_id.is_(None), file.uploaded_by_id == VIEWER_USER)
    used = sees_record(role, file.learner_id, file.aim_id)
    if role in BY_AIM:
        # A file of a session about several aims has no aim of its own, so it is visible with the session.
        saved = select(SessionFile.session_id).where(SessionFile.file_id == file.id)
        seen = saved.where(sees_session(role, SessionFile.session_id, SessionFile.learner_id))
        used = and_(used, or_(~saved.exists(), seen.exists()))
    return and_(of_provider(file), or_(unused, used))


def sees_employer(role: Role, employer: Any = Employer) -> Condition:
    """The condition that an employer is visible.

    Admins and assessors see all, an Employer Overview the allocated sites, other roles the employers of their learners.
    """
    if role in ADMINS or role is Role.ASSESSOR:
        return of_provider(employer)
    if role is Role.EMPLOYER_OVERVIEW:
        return and_(of_provider(employer), employer.id.in_(_overview_sites()))
    theirs = select(Learner.employer_id).where(sees_learner(role, Learner.id))
    return and_(of_provider(employer), employer.id.in_(theirs))


def sees_user(role: Role, user: Any = User) -> Condition:
    """The condition that a user is visible: the viewer, the provider's staff, and people of visible learners."""
    if role in ADMINS:
        return of_provider(user)
    learners = visible_learners(role)
    sites = select(Learner.employer_id).where(Learner.id.in_(learners))
    seen = [
        select(RoleGrant.user_id).where(RoleGrant.role.in_(STAFF), of_provider(RoleGrant)),
        select(Learner.user_id).where(Learner.id.in_(learners)),
        select(ManagerAllocation.user_id).where(
            ManagerAllocation.learner_id.in_(learners), of_provider(ManagerAllocation)
        ),
        select(OverviewAllocation.user_id).where(
            OverviewAllocation.employer_id.in_(sites), of_provider(OverviewAllocation)
        ),
    ]
    if role is Role.ASSESSOR:
        # They invite Employer Managers, so they see those who have no learner allocated yet.
        seen.append(
            select(RoleGrant.user_id).where(
                RoleGrant.role == Role.EMPLOYER_MANAGER,
                of_provider(RoleGrant),
                RoleGrant.user_id.not_in(select(ManagerAllocation.user_id).where(of_provider(ManagerAllocation))),
            )
        )
        # They allocate those, too, who manage another assessor's learner at an employer of their own learners.
        colleagues = select(Learner.id).where(Learner.employer_id.in_(sites), of_provider(Learner))
        seen.append(
            select(ManagerAllocation.user_id).where(
                ManagerAllocation.learner_id.in_(colleagues), of_provider(ManagerAllocation)
            )
        )
    return and_(of_provider(user), or_(user.id == VIEWER_USER, *(user.id.in_(people) for people in seen)))


def sees_contact(role: Role, user: Any = User) -> Condition:
    """The condition that a user's e-mail is visible.

    Everybody sees their own, assessors and IQAs those of their learners, admins all.
    """
    if role in ADMINS:
        return of_provider(user)
    if role in BY_AIM:
        return or_(user.id == VIEWER_USER, user.id.in_(select(Learner.user_id).where(sees_learner(role, Learner.id))))
    return user.id == VIEWER_USER


def sees_uln(role: Role) -> bool:
    """Returns whether a role sees the ULN of its learners: all roles but the employers'."""
    return role not in EMPLOYERS


def sees_guest_email(role: Role) -> bool:
    """Returns whether a role sees the addresses of people who sign without an account: all roles but the employers'."""
    return role not in EMPLOYERS


def sees_audit_event(role: Role, event: Any = AuditEvent) -> Condition:
    """The condition that an audit event is visible.

    A Master Admin sees all of the provider, assessors and IQAs those of their learners and aims, a learner their own
    signatures, and all other roles none.
    """
    match role:
        case Role.MASTER_ADMIN:
            return of_provider(event)
        case Role.ASSESSOR | Role.IQA:
            # An event without a learner fails this condition.
            return and_(of_provider(event), sees_record(role, event.learner_id, event.aim_id))
        case Role.LEARNER:
            # No `in_`: a list of texts is not compiled once (db/compiled_select.py).
            signed = or_(*(event.action == action for action in signing_mutations.ALL))
            return and_(of_provider(event), event.actor_id == VIEWER_USER, signed)
    return false()


def _overview_sites() -> Select[int]:
    return select(OverviewAllocation.employer_id).where(
        OverviewAllocation.user_id == VIEWER_USER, of_provider(OverviewAllocation)
    )


def _has_aim() -> Condition:
    """The condition that a learner has an aim, of any assessor."""
    return select(Aim.id).where(Aim.learner_id == Learner.id).correlate(Learner).exists()


def sees(role: Role, entity: type[Any], one: bool = False) -> Condition:
    """The condition that a row of an entity is visible, as its mapped class declares (`__entity__`).

    `one`: in a statement for one key. Raises TypeError for an entity visible through another, and for no entity.
    """
    declared = entity.__entity__
    match declared and declared.visible:
        case Visibility.PROVIDER:
            return of_provider(entity)
        case Visibility.LEARNER_ITSELF:
            return and_(sees_learner(role, entity.id), of_provider(entity))
        case Visibility.AIM_ITSELF:
            return sees_aim(role, entity)
        case Visibility.RECORD:
            return and_(sees_record(role, entity.learner_id, entity.aim_id, one), of_provider(entity))
        case Visibility.OWNER | Visibility.OWNER_IN_ROLE as owner:
            in_role = true() if owner is Visibility.OWNER else entity.role == role
            return and_(entity.user_id == VIEWER_USER, in_role, of_provider(entity))
        case Visibility.SESSION_ITSELF:
            return and_(sees_session(role, entity.id, entity.learner_id), of_provider(entity))
        case Visibility.DOCUMENT_ITSELF:
            return and_(sees_document(role, entity.id, entity.learner_id), of_provider(entity))
        case Visibility.SESSION:
            return and_(sees_session(role, entity.session_id, entity.learner_id), of_provider(entity))
        case Visibility.QUALITY_ASSURANCE:
            return and_(sees_quality_assurance(role, entity.aim_id), of_provider(entity))
        case Visibility.FILE_ITSELF:
            return sees_file(role, entity)
        case Visibility.EMPLOYER_ITSELF:
            return sees_employer(role, entity)
        case Visibility.USER_ITSELF:
            return sees_user(role, entity)
        case Visibility.AUDIT_EVENT_ITSELF:
            return sees_audit_event(role, entity)
    raise TypeError(f"{entity.__name__} is not visible by itself")

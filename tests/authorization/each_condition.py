"""Runs each condition of auth/scope.py alone, without the loader around it, which compares the provider again."""

from typing import Any

from sqlalchemy import select

from auth import scope
from auth.audience import audience
from auth.viewer import Viewer
from db.database import Database
from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.employer import Employer
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from domain.enums import Role
from tests.authorization.oracle import Visibility

# The number of subqueries in `sees_learner` for the roles that need only the learner's own row (and, for an Employer
# Overview, the allocated sites).
SUBQUERIES = {Role.LEARNER: 0, Role.EMPLOYER_OVERVIEW: 1, Role.BASIC_ADMIN: 0, Role.MASTER_ADMIN: 0}


async def disagreements(database: Database, viewer: Viewer, visibility: Visibility) -> list[str]:
    """Returns one line for each condition that selects other rows than the oracle."""
    role = viewer.role
    uploaded = {row["id"] for row in visibility.rows["file"] if row["uploaded_at"] is not None}
    expected: dict[str, tuple[Any, set[int]]] = {
        "visible_learners": (scope.visible_learners(role), visibility.learners),
        "sees_learner": (select(Learner.id).where(scope.sees_learner(role, Learner.id)), visibility.learners),
        "sees_aim": (select(Aim.id).where(scope.sees_aim(role)), visibility.aims),
        "sees_session": (
            select(Session.id).where(
                scope.sees_session(role, Session.id, Session.learner_id), scope.of_provider(Session)
            ),
            visibility.sessions,
        ),
        "sees_file": (select(File.id).where(scope.sees_file(role)), visibility.files),
        "sees_employer": (select(Employer.id).where(scope.sees_employer(role)), visibility.employers),
        "sees_user": (select(User.id).where(scope.sees_user(role)), visibility.users),
        "sees_contact": (select(User.id).where(scope.sees_contact(role)), _keys(visibility.contacts)),
        "sees_audit_line": (select(AuditEvent.id).where(scope.sees_audit_event(role)), visibility.audit),
    }
    found = []
    for name, (statement, keys) in expected.items():
        given = {row[0] for row in await database.rows(statement, scope.viewer_params(viewer), primary=True)}
        if (given & uploaded if name == "sees_file" else given) != keys:
            found.append(f"{name}: {sorted(given ^ keys)[:9]}")
    found += [f"audience of learner {key}" for key in await _wrong_audiences(database, viewer, visibility)]
    # An unknown role sees no learner.
    unknown: Any = None
    if await database.rows(scope.visible_learners(unknown), scope.viewer_params(viewer), primary=True):
        found.append("visible_learners of no role")
    # A condition with more subqueries gives the same rows, but makes a list of thousands of learners slow.
    selects = str(scope.sees_learner(role, Learner.id)).count("SELECT")
    if selects != SUBQUERIES.get(role, selects):
        found.append(f"sees_learner of the learner itself: {selects} selects")
    if scope.sees_uln(role) != visibility.sees_uln:
        found.append("sees_uln")
    if scope.sees_guest_email(role) != visibility.sees_guest_email:
        found.append("sees_guest_email")
    return found


async def _wrong_audiences(database: Database, viewer: Viewer, visibility: Visibility) -> list[int]:
    """Returns the learners whose audience has the viewer wrongly, or wrongly not."""
    if viewer.role in scope.ADMINS:
        return []
    learners = {row["id"]: row for row in visibility.rows["learner"]}

    async def concerns(keys: set[int]) -> bool:
        parameters = {"keys": sorted(keys), "viewer_provider": viewer.provider_key}
        rows = await database.rows(audience(), parameters, primary=True)
        return (viewer.user_key, viewer.role.name) in {tuple(row) for row in rows}

    # Who enrolled a learner is woken though an aim may have others.
    enrolled = {row["id"] for row in visibility.of("learner", enrolled_by_id=viewer.user_key)}
    wrong = [key for key in sorted(visibility.learners)[:3] if not await concerns({key})]
    others = set(learners) - visibility.learners - enrolled
    return wrong + [-1] * (await concerns(others))


def _keys(ids: set[str]) -> set[int]:
    return {int(id.partition("_")[2]) for id in ids}

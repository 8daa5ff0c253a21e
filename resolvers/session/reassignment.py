"""Moves planned sessions with the aims that they are about to another assessor, and notifies everybody concerned."""

from collections.abc import Sequence

from db.models.aim import Aim
from db.models.session import Session
from db.models.user import User
from repositories.aim import AimPerson, people_of_aims
from repositories.session import planned_sessions_about
from resolvers.core.unit_of_work import UnitOfWork
from services.mail.session_messages import PlannedSession, assessor_changed, caseload_changed


async def hand_over_aims(uow: UnitOfWork, aims: Sequence[Aim], from_key: int | None, to: User) -> list[Session]:
    """Makes a user the assessor of aims, which are locked, and of their sessions to come. Returns those sessions.

    Sends e-mails to the learners and to both assessors.
    """
    for aim in aims:
        aim.assessor_id = to.id
    await uow.session.flush()
    sessions: list[Session] = []
    if from_key is not None:
        sessions = await planned_sessions_about(uow.session, aims, from_key, uow.now)
        for session in sessions:
            session.assessor_id = to.id
    people = await people_of_aims(uow.session, [aim.id for aim in aims])
    await _send_mails(uow, people, sessions, from_key, to)
    return sessions


async def _send_mails(
    uow: UnitOfWork, people: Sequence[AimPerson], sessions: Sequence[Session], from_key: int | None, to: User
) -> None:
    by_learner: dict[int, list[AimPerson]] = {}
    for person in people:
        by_learner.setdefault(person.learner_key, []).append(person)
    uow.changed_learners.update(by_learner)
    previous = None if from_key is None else await uow.session.get_one(User, from_key)
    for learner_key, aims in by_learner.items():
        learner = aims[0]
        planned = [_planned(session) for session in sessions if session.learner_id == learner_key]
        if learner.archived_at is None:
            mail = assessor_changed(
                name=learner.name, aims=[each.title for each in aims], assessor=to.name,
                previous=previous.name if previous else None, sessions=planned,
            )  # fmt: skip
            uow.send_mail(learner.email, mail, "Learner", learner_key)
    names = {aims[0].learner_key: aims[0].name for aims in by_learner.values()}
    aim_lines = [f"{each.name}: {each.title}" for each in people]
    planned = [_planned(session, names.get(session.learner_id)) for session in sessions]
    for user, received in ((to, True), (previous, False)):
        if user is not None and user.archived_at is None and user.id != uow.viewer.user_key:
            other = previous if received else to
            mail = caseload_changed(
                name=user.name, received=received, other=other.name if other else None, aims=aim_lines, sessions=planned
            )
            uow.send_mail(user.email, mail)


def _planned(session: Session, learner: str | None = None) -> PlannedSession:
    return PlannedSession(session.number, session.starts_at, session.ends_at, session.location, learner)

"""The scoped read of one entity for a write: within what the viewer sees, and locked until the transaction ends."""

from typing import Any

from sqlalchemy import Select, bindparam, select

from auth import scope
from db.models.action import Action
from db.models.aim import Aim
from db.models.base import Base
from db.models.employer import Employer
from db.models.evidence import Evidence
from db.models.file import File
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.resource import Resource
from db.models.session import Session
from db.models.signature_request import SignatureRequest
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain.enums import Role
from loaders.core.read_session import cached_statement

# The graph's type name of each entity that a mutation names by id.
TYPE_NAMES: dict[type[Base], str] = {
    Action: "Action",
    Aim: "Aim",
    Employer: "Employer",
    Evidence: "Evidence",
    File: "File",
    Learner: "Learner",
    Qualification: "Qualification",
    Resource: "Resource",
    Session: "Session",
    SignatureRequest: "SignatureRequest",
    TimeLogEntry: "TimeLogEntry",
    User: "User",
}


def _seen(role: Role, entity: Any) -> Any:
    if entity is Learner:
        return scope.sees_learner(role, Learner.id)
    if entity is Aim:
        return scope.sees_aim(role)
    if entity is Session:
        return scope.sees_session(role, Session.id, Session.learner_id)
    if entity is SignatureRequest:
        return scope.sees_learner(role, SignatureRequest.learner_id)
    if entity is Employer:
        return scope.sees_employer(role)
    if entity is User:
        return scope.sees_user(role)
    if entity is File:
        return scope.sees_file(role)
    if entity is Qualification:
        return scope.of_provider(Qualification)
    return scope.sees_record(role, entity.learner_id, entity.aim_id)


@cached_statement
def one_for_write(role: Role, entity: type[Base], locked: bool) -> Select[Any]:
    """One entity by `key`, if the viewer sees it. `locked`: nobody else changes it before this transaction ends."""
    statement = select(entity).where(
        entity.id == bindparam("key", type_=entity.id.type), scope.of_provider(entity), _seen(role, entity)
    )
    return statement.with_for_update(of=entity, key_share=True) if locked else statement

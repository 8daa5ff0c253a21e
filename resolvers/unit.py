"""Units: signed within the confirmation statement, whose words are kept with the signature."""

from db.models.aim import Aim
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain import global_id as ids
from domain.confirmation_statements import unit_sha256, unit_statement
from domain.enums import UserErrorCode
from domain.errors import not_found, reject
from repositories.evidence import UnitState, active_signatures, unit_state
from resolvers.core.unit_of_work import UnitOfWork, mutation

# How many criteria a refusal names, so that it stays a sentence.
MOST_NAMED = 10


@mutation("unitSign", signs=True)
async def sign(uow: UnitOfWork, *, id: str, password: str) -> tuple[int, int]:
    """Signs a learner's unit in the viewer's own role; signing it again changes nothing. Gives the unit's key.

    Refuses with NOT_FOUND, NOT_ALLOWED, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, CONFLICT where another person signed in that
    role, and INVALID while criteria are not signed off: the statement would not be true [000].
    """
    aim_key, unit_key = ids.decode_pair("Unit", id) or (None, 0)
    # Locked like for an assessment: what is signed cannot change while it is read.
    aim = await uow.get_or_none(Aim, aim_key)
    unit = await unit_state(uow.session, aim, unit_key) if aim is not None else None
    if aim is None or unit is None:
        raise not_found("id")
    uow.authorize()
    for standing in await active_signatures(uow.session, aim.id, [unit_key]):
        if standing.role is uow.viewer.role:
            if standing.signed_by_id != uow.viewer.user_key:
                other = await uow.session.get_one(User, standing.signed_by_id)
                raise reject(UserErrorCode.CONFLICT, f"{other.name} has signed it in your role already.", "id")
            return aim.id, unit_key
    _check_complete(unit)
    statement = unit_statement(unit.number, unit.title, unit.qualification_title, unit.learner_name)
    content = unit_sha256(statement, [(one.key, one.evidence_count, one.signed_off) for one in unit.criteria])
    uow.session.add(
        UnitSignature(
            provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, unit_id=unit_key,
            role=uow.viewer.role, signed_by_id=uow.viewer.user_key, signed_at=uow.now, statement=statement,
            content_sha256=content,
        )
    )  # fmt: skip
    uow.audit("Unit", aim.id, unit_key, learner_id=aim.learner_id, aim_id=aim.id, sha256=content)
    return aim.id, unit_key


def _check_complete(unit: UnitState) -> None:
    missing = [one.code for one in unit.criteria if not one.signed_off]
    if not missing:
        return
    require_entity = ", ".join(missing[:MOST_NAMED])
    if len(missing) > MOST_NAMED:
        require_entity += f" and {len(missing) - MOST_NAMED} more"
    raise reject(
        UserErrorCode.INVALID,
        f"Unit {unit.number} is not complete: {len(missing)} of {len(unit.criteria)} criteria are not signed off "
        f"({require_entity}). It can be signed once they are.",
        "id",
    )

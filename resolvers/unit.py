"""Units: signed within the confirmation statement, whose words are kept with the signature."""

from db.models.aim import Aim
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain import global_id as ids
from domain.confirmation_statements import unit_sha256, unit_statement
from domain.enums import UserErrorCode
from domain.errors import not_found, refuse
from repositories.evidence import UnitState, standing_signatures, state_of_unit
from resolvers.core.unit_of_work import Change, writes

# How many criteria a refusal names, so that it stays a sentence.
MOST_NAMED = 10


@writes("unitSign", signs=True)
async def sign(change: Change, *, id: str, password: str) -> tuple[int, int]:
    """Signs a learner's unit in the viewer's own role; signing it again changes nothing. Gives the unit's key.

    Refuses with NOT_FOUND, NOT_ALLOWED, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, CONFLICT where another person signed in that
    role, and INVALID while criteria are not signed off: the statement would not be true [000].
    """
    aim_key, unit_key = ids.decode_pair("Unit", id) or (None, 0)
    # Locked like for an assessment: what is signed cannot change while it is read.
    aim = await change.find(Aim, aim_key)
    unit = await state_of_unit(change.session, aim, unit_key) if aim is not None else None
    if aim is None or unit is None:
        raise not_found("id")
    change.allow()
    for standing in await standing_signatures(change.session, aim.id, [unit_key]):
        if standing.role is change.viewer.role:
            if standing.signed_by_id != change.viewer.user_key:
                other = await change.session.get_one(User, standing.signed_by_id)
                raise refuse(UserErrorCode.CONFLICT, f"{other.name} has signed it in your role already.", "id")
            return aim.id, unit_key
    _check_complete(unit)
    statement = unit_statement(unit.number, unit.title, unit.qualification_title, unit.learner_name)
    content = unit_sha256(statement, [(one.key, one.evidence_count, one.signed_off) for one in unit.criteria])
    change.session.add(
        UnitSignature(
            provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, unit_id=unit_key,
            role=change.viewer.role, signed_by_id=change.viewer.user_key, signed_at=change.now, statement=statement,
            content_sha256=content,
        )
    )  # fmt: skip
    change.record("Unit", aim.id, unit_key, learner_id=aim.learner_id, aim_id=aim.id, sha256=content)
    return aim.id, unit_key


def _check_complete(unit: UnitState) -> None:
    missing = [one.code for one in unit.criteria if not one.signed_off]
    if not missing:
        return
    named = ", ".join(missing[:MOST_NAMED])
    if len(missing) > MOST_NAMED:
        named += f" and {len(missing) - MOST_NAMED} more"
    raise refuse(
        UserErrorCode.INVALID,
        f"Unit {unit.number} is not complete: {len(missing)} of {len(unit.criteria)} criteria are not signed off "
        f"({named}). It can be signed once they are.",
        "id",
    )

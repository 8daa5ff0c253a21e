"""Signs units; each signature keeps the confirmation statement that was signed."""

from db.models.aim import Aim
from db.models.unit_signature import UnitSignature
from domain import global_id
from domain.confirmation_statements import unit_sha256, unit_statement
from domain.errors import not_found
from repositories.unit import active_signatures, unit_to_sign
from resolvers.core.signatures import named_signatures
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.unit import UNIT, UnitState


@mutation("unitSign", signs=True)
async def sign(uow: UnitOfWork, *, id: str, password: str) -> tuple[int, int]:
    """Signs a learner's unit in the viewer's role; signing it again changes nothing. Returns the keys of aim and unit.

    Rejects with NOT_FOUND, NOT_ALLOWED, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, CONFLICT where another person signed in that
    role, NOT_ALLOWED where the viewer signed in another role, and INVALID while criteria are not signed off, because
    the statement would not be true.
    """
    aim_key, unit_key = global_id.decode_pair("Unit", id) or (None, 0)
    # Locked as for an assessment, so that the state that is signed cannot change meanwhile.
    aim = await uow.get_or_none(Aim, aim_key)
    unit = await unit_to_sign(uow.session, aim, unit_key) if aim is not None else None
    if aim is None or unit is None:
        raise not_found("id")
    uow.authorize()
    signatures = await active_signatures(uow.session, aim.id, [unit_key])
    signed = [(each.role, each.signed_by_id) for each in signatures]
    uow.require(
        UNIT, UnitState(aim.learner_id, current=True, counts=unit.counts),
        signatures=await named_signatures(uow, signed),
        open_criteria=[criterion.code for criterion in unit.criteria if not criterion.signed_off],
    )  # fmt: skip
    if (uow.viewer.role, uow.viewer.user_key) in signed:
        return aim.id, unit_key
    statement = unit_statement(unit.number, unit.title, unit.qualification_title, unit.learner_name)
    sha256 = unit_sha256(statement, [(each.key, each.evidence_count, each.signed_off) for each in unit.criteria])
    signed_in = {signature.role for signature in signatures} | {uow.viewer.role}
    completes_unit = signed_in.issuperset(uow.viewer.rules.unit_signatures)
    uow.session.add(
        UnitSignature(
            provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, unit_id=unit_key,
            role=uow.viewer.role, signed_by_id=uow.viewer.user_key, signed_at=uow.now, statement=statement,
            content_sha256=sha256, completes_unit=completes_unit,
        )
    )  # fmt: skip
    uow.audit(
        "Unit", aim.id, unit_key, learner_id=aim.learner_id, aim_id=aim.id, sha256=sha256, completes_unit=completes_unit
    )
    return aim.id, unit_key

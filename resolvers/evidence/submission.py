"""Submits evidence with a signature, resubmits it after it was returned, and signs it in further roles."""

from db.models.action import Action
from db.models.aim import Aim
from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.user import User
from domain.confirmation_statements import evidence_statement
from domain.enums import EvidenceStatus, Role, TaskKind, UserErrorCode
from domain.sentences import say
from domain.text import fold_words
from repositories.aim import aim_names
from repositories.evidence import current_version_number, signatures_on_version
from repositories.scoped import lock_again
from resolvers.core.attachments import attach, claim_upload
from resolvers.core.row_limit import check_count, check_row_limit
from resolvers.core.signatures import named_signatures
from resolvers.core.task_mail import send_task_mail
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity, single_line
from resolvers.evidence.assessment import lock_for_assessment
from resolvers.evidence.sign_off import EVIDENCE_REPLACED, take_back_sign_offs
from resolvers.rules.action import ACTION, ActionState
from resolvers.rules.aim import AIM, AimState
from resolvers.rules.evidence import EVIDENCE, EvidenceState
from services.mail.messages import evidence_resubmitted


@mutation("evidenceSubmit", signs=True, password_at=("input", "password"))
async def submit(
    uow: UnitOfWork,
    *,
    aim_id: str,
    file_id: str,
    title: str,
    description: str,
    declare_own_work: bool,
    password: str,
    action_id: str | None = None,
) -> int:
    """Adds a file to an aim's evidence, signed by the viewer in their role. Returns the evidence's key.

    Rejects with NOT_FOUND, NOT_ALLOWED, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, or REQUIRED, INVALID and CONFLICT for the
    fields. A learner must declare that it is their own work.
    """
    aim = await require_entity(uow, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        uow.require(AIM, AimState.of(aim))
    file = await claim_upload(uow, file_id, "input", "fileId")
    title = single_line(uow, title, "input", "title")
    description = multi_line(uow, description, "input", "description")
    if uow.viewer.role is Role.LEARNER and not declare_own_work:
        message = say("OWN_WORK_NOT_DECLARED")
        uow.add_error(UserErrorCode.REQUIRED, message, "input", "declareOwnWork")
    action = None if action_id is None else await _action(uow, action_id, aim)
    uow.raise_errors()
    assert aim is not None and file is not None
    attach(file, aim.learner_id, aim.id)
    submitter = {"submitted_by_id": uow.viewer.user_key, "submitted_at": uow.now}
    key = await uow.insert(
        Evidence, **_owner(aim), **submitter, aim_id=aim.id, action_id=action.id if action else None, title=title,
        description=description, search_text=fold_words(title, description), status=EvidenceStatus.SUBMITTED,
        file_id=file.id, declared_own_work=declare_own_work, assessment_methods=[],
    )  # fmt: skip
    await uow.insert(EvidenceVersion, **_owner(aim), **submitter, evidence_id=key, number=1, file_id=file.id)
    await _add_signature(uow, aim, key, 1, file, evidence_statement(title, declare_own_work))
    uow.audit("Evidence", key, learner_id=aim.learner_id, aim_id=aim.id, file=file.id)
    return key


@mutation("evidenceResubmit")
async def resubmit(uow: UnitOfWork, *, id: str, file_id: str, comment: str) -> int:
    """Adds an amended file and a comment to evidence that was returned, and sends its assessor an e-mail.

    Where the account of its submitter is archived, the learner and the assessor can do it in their place. Rejects with
    NOT_FOUND, NOT_ALLOWED for anybody else, CONFLICT unless it is RETURNED, or REQUIRED, INVALID and CONFLICT for the
    fields.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    archived = False
    if evidence.submitted_by_id != uow.viewer.user_key:
        archived = (await uow.session.get_one(User, evidence.submitted_by_id)).archived_at is not None
    uow.require(EVIDENCE, EvidenceState.of(evidence), submitter_archived=archived)
    file = await claim_upload(uow, file_id, "input", "fileId")
    comment = multi_line(uow, comment, "input", "comment")
    number = await current_version_number(uow.session, evidence.id) + 1
    check_count(uow, EvidenceVersion.evidence_id, number - 1, "EVIDENCE_VERSIONS_FULL")
    uow.raise_errors()
    assert file is not None
    attach(file, aim.learner_id, aim.id)
    uow.session.add(
        EvidenceVersion(
            **_owner(aim), evidence_id=evidence.id, number=number, file_id=file.id, comment=comment,
            submitted_by_id=uow.viewer.user_key, submitted_at=uow.now,
        )
    )  # fmt: skip
    evidence.status, evidence.file_id = EvidenceStatus.RESUBMITTED, file.id
    # Evidence that was returned before 0.2 still has the sign-offs of its previous file.
    await take_back_sign_offs(uow, evidence, EVIDENCE_REPLACED)
    if aim.assessor_id not in (None, uow.viewer.user_key):
        await _notify_assessor(uow, evidence, aim, comment)
    uow.audit(
        "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["status", "file"], file=file.id
    )
    return evidence.id


@mutation("evidenceSign", signs=True)
async def sign(uow: UnitOfWork, *, id: str, password: str) -> int:
    """Signs the current version in the viewer's role; signing it again changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, and CONFLICT where another person signed in
    that role or the evidence is withdrawn.
    """
    evidence = await uow.get(Evidence, id, "id", locked=False)
    uow.authorize()
    # Read again with a lock: no resubmission can replace the version that is signed here.
    await lock_again(uow.session, evidence)
    version = await current_version_number(uow.session, evidence.id)
    signatures = await signatures_on_version(uow.session, evidence.id, version)
    named = await named_signatures(uow, [(each.role, each.signed_by_id) for each in signatures.values()])
    uow.require(EVIDENCE, EvidenceState.of(evidence), signatures=named)
    if uow.viewer.role in signatures:
        return evidence.id
    file = await uow.session.get_one(File, evidence.file_id)
    statement = evidence_statement(evidence.title, own_work=False)
    await _add_signature(uow, evidence, evidence.id, version, file, statement)
    uow.audit(
        "Evidence", evidence.id, learner_id=evidence.learner_id, aim_id=evidence.aim_id, version=version,
        sha256=file.sha256,
    )  # fmt: skip
    return evidence.id


async def _action(uow: UnitOfWork, id: str, aim: Aim | None) -> Action | None:
    """Returns the action that the evidence is submitted for; records an error where it does not accept the evidence."""
    field = ("input", "actionId")
    action = await require_entity(uow, Action, id, *field, locked=False)
    if action is None or aim is None:
        return action
    if action.learner_id != aim.learner_id or action.aim_id not in (None, aim.id):
        message = say("ACTION_OF_OTHER_COMPONENT")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    else:
        uow.add_errors(ACTION.errors(uow.action, uow.viewer, ActionState.of(action)))
        await check_row_limit(uow, Evidence.action_id, action.id, "ACTION_EVIDENCE_FULL", *field)
    return action


async def _notify_assessor(uow: UnitOfWork, evidence: Evidence, aim: Aim, comment: str) -> None:
    assessor = await uow.session.get_one(User, aim.assessor_id)
    if assessor.archived_at is None:
        names = await aim_names(uow.session, aim)
        mail = evidence_resubmitted(
            name=assessor.name, learner=names.learner, title=evidence.title, aim=names.title, comment=comment
        )
        kind, about = TaskKind.ASSESS_EVIDENCE, ("Evidence", evidence.id)
        send_task_mail(uow, kind, assessor.id, assessor.email, assessor.email_for, mail, *about)


async def _add_signature(
    uow: UnitOfWork, owner: Aim | Evidence, evidence_key: int, version: int, file: File, statement: str
) -> None:
    await uow.insert(
        EvidenceSignature, **_owner(owner), evidence_id=evidence_key, version_number=version, role=uow.viewer.role,
        signed_by_id=uow.viewer.user_key, signed_at=uow.now, statement=statement, file_sha256=file.sha256,
    )  # fmt: skip


def _owner(record: Aim | Evidence) -> dict[str, int]:
    return {"provider_id": record.provider_id, "learner_id": record.learner_id}

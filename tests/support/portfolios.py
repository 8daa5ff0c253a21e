"""What hangs on a learner besides their aims, for `tests/support/worlds.py`: files, evidence, sessions, actions, time."""

import datetime as dt
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.models.action import Action
from db.models.aim import Aim
from db.models.evidence import Evidence
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session, SessionAim
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain.enums import (
    ActionKind,
    ActionStatus,
    ActivityType,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SessionType,
    SignatureRequestStatus,
)

SHA256 = "0" * 64


class Portfolio:
    """The portfolio's half of `World`."""

    session: AsyncSession
    now: dt.datetime
    today: dt.date

    async def add(self, entity: Any) -> Any:
        """Any row, with its key when it comes back."""
        self.session.add(entity)
        await self.session.flush()
        return entity

    async def file(self, owner: User, learner: Learner | None = None, aim: Aim | None = None, **columns: Any) -> File:
        """A stored file's record, without its bytes."""
        values = {
            "name": "notes.txt",
            "content_type": "text/plain",
            "size": 5,
            "sha256": SHA256,
            "uploaded_at": self.now,
            **columns,
        }
        return await self.add(
            File(
                provider_id=owner.provider_id,
                learner_id=learner and learner.id,
                aim_id=aim and aim.id,
                uploaded_by_id=owner.id,
                announced_at=self.now,
                **values,
            )
        )

    async def evidence(
        self, aim: Aim, by: User, status: EvidenceStatus = EvidenceStatus.SUBMITTED, **columns: Any
    ) -> Evidence:
        learner = await self.session.get_one(Learner, aim.learner_id)
        values = {"title": "Evidence", "description": "What I did", "submitted_at": self.now, **columns}
        return await self.add(
            Evidence(
                provider_id=aim.provider_id,
                learner_id=aim.learner_id,
                aim_id=aim.id,
                status=status,
                file_id=(await self.file(by, learner, aim)).id,
                declared_own_work=True,
                submitted_by_id=by.id,
                **values,
            )
        )

    async def session_of(
        self,
        learner: Learner,
        assessor: User,
        starts_at: dt.datetime,
        *aims: Aim,
        status: SessionStatus = SessionStatus.PLANNED,
        **columns: Any,
    ) -> Session:
        """An hour's session in the learner's plan, about these aims."""
        learner.last_session_number += 1
        session = await self.add(
            Session(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                number=learner.last_session_number,
                type=SessionType.GENERAL,
                status=status,
                starts_at=starts_at,
                ends_at=starts_at + dt.timedelta(hours=1),
                assessor_id=assessor.id,
                **columns,
            )
        )
        keys = {"session_id": session.id, "provider_id": learner.provider_id, "learner_id": learner.id}
        for aim in aims:
            await self.add(SessionAim(aim_id=aim.id, **keys))
        return session

    async def action(self, learner: Learner, by: User, aim: Aim | None = None, **columns: Any) -> Action:
        """Something to do by today."""
        values = {
            "kind": ActionKind.ACTION,
            "title": "Action",
            "description": "Do it",
            "target_date": self.today,
            "status": ActionStatus.OUTSTANDING,
            **columns,
        }
        return await self.add(
            Action(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                aim_id=aim and aim.id,
                set_by_id=by.id,
                set_at=self.now,
                **values,
            )
        )

    async def time(
        self, learner: Learner, by: User, minutes: int, aim: Aim | None = None, **columns: Any
    ) -> TimeLogEntry:
        """Time off the job, today."""
        values = {
            "date": self.today,
            "activity_type": ActivityType.COACHING_OR_MENTORING,
            "job_setting": JobSetting.OFF_THE_JOB,
            "comments": "Learned",
            **columns,
        }
        return await self.add(
            TimeLogEntry(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                aim_id=aim and aim.id,
                minutes=minutes,
                added_by_id=by.id,
                added_at=self.now,
                **values,
            )
        )

    async def signature_request(
        self,
        learner: Learner,
        by: User,
        open_for: tuple[Role, ...],
        signed_by: dict[Role, User] | None = None,
        **columns: Any,
    ) -> SignatureRequest:
        """A document with an open slot for some roles, and a filled one for others."""
        values = {
            "title": "Document",
            "status": SignatureRequestStatus.PENDING,
            "requested_at": self.now,
            **columns,
        }
        request = await self.add(
            SignatureRequest(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                file_id=(await self.file(by, learner)).id,
                document_sha256=SHA256,
                requested_by_id=by.id,
                **values,
            )
        )
        keys = {"provider_id": learner.provider_id, "learner_id": learner.id, "request_id": request.id}
        for role in open_for:
            await self.add(SignatureSlot(role=role, **keys))
        for role, user in (signed_by or {}).items():
            await self.add(SignatureSlot(role=role, signed_by_id=user.id, signed_at=self.now, **keys))
        return request

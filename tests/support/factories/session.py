"""Sessions of a learning plan, with their aims and files."""

import datetime as dt
from typing import Any

from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session, SessionAim, SessionFile
from db.models.user import User
from domain.enums import SessionStatus, SessionType
from tests.support.factories.base import RowFactory, keys_of


class SessionFactory(RowFactory):
    async def session_of(
        self, learner: Learner, assessor: User, starts_at: dt.datetime, *aims: Aim, **columns: Any
    ) -> Session:
        """Adds a planned session of one hour about these aims."""
        learner.last_session_number += 1
        values = {
            "number": learner.last_session_number,
            "type": SessionType.GENERAL,
            "status": SessionStatus.PLANNED,
            "ends_at": starts_at + dt.timedelta(hours=1),
            **columns,
        }
        session = await self.add(
            Session(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                assessor_id=assessor.id,
                starts_at=starts_at,
                **values,
            )
        )
        for aim in aims:
            await self.add(SessionAim(**keys_of(session), session_id=session.id, aim_id=aim.id))
        return session

    async def session_file(self, session: Session, file: File) -> SessionFile:
        return await self.add(SessionFile(**keys_of(session), session_id=session.id, file_id=file.id))

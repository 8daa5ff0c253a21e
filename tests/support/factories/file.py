"""Records of stored files, without their bytes."""

from typing import Any

from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.user import User
from tests.support.factories.base import SHA256, RowFactory


class FileFactory(RowFactory):
    async def file(self, owner: User, learner: Learner | None = None, aim: Aim | None = None, **columns: Any) -> File:
        """Adds an uploaded file, attached to the learner and the aim if given."""
        values = {
            "name": "notes.txt",
            "content_type": "text/plain",
            "size": 5,
            "sha256": SHA256,
            "announced_at": self.now,
            "uploaded_at": self.now,
            "learner_id": learner.id if learner else None,
            "aim_id": aim.id if aim else None,
            **columns,
        }
        return await self.add(File(provider_id=owner.provider_id, uploaded_by_id=owner.id, **values))

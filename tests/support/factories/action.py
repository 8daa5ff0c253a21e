"""Actions and the files attached to them."""

from typing import Any

from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.user import User
from domain.enums import ActionKind, ActionStatus
from tests.support.factories.base import RowFactory, keys_of


class ActionFactory(RowFactory):
    async def action(self, learner: Learner, set_by: User, aim: Aim | None = None, **columns: Any) -> Action:
        """Adds an outstanding action that is due today."""
        values = {
            "kind": ActionKind.ACTION,
            "title": "Action",
            "description": "Do it",
            "target_date": self.today,
            "status": ActionStatus.OUTSTANDING,
            "set_by_id": set_by.id,
            "set_at": self.now,
            **columns,
        }
        return await self.add(
            Action(provider_id=learner.provider_id, learner_id=learner.id, aim_id=aim.id if aim else None, **values)
        )

    async def action_file(self, action: Action, file: File) -> ActionFile:
        return await self.add(ActionFile(**keys_of(action), action_id=action.id, file_id=file.id))

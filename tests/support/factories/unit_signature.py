"""Signatures on a unit of an aim."""

from typing import Any

from db.models.aim import Aim
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain.enums import Role
from tests.support.factories.base import SHA256, RowFactory, keys_of


class UnitSignatureFactory(RowFactory):
    async def unit_signature(
        self, aim: Aim, unit_id: int, signed_by: User, role: Role, **columns: Any
    ) -> UnitSignature:
        values = {"signed_at": self.now, "statement": "I confirm", "content_sha256": SHA256, **columns}
        return await self.add(
            UnitSignature(
                **keys_of(aim), aim_id=aim.id, unit_id=unit_id, role=role, signed_by_id=signed_by.id, **values
            )
        )

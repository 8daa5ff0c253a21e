"""Evidence, its versions and signatures, and the criteria it is mapped to."""

from typing import Any

from db.models.aim import Aim
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from db.models.user import User
from domain.enums import EvidenceStatus, Role
from tests.support.factories.base import SHA256, keys_of
from tests.support.factories.file import FileFactory


class EvidenceFactory(FileFactory):
    async def evidence(
        self, aim: Aim, submitted_by: User, status: EvidenceStatus = EvidenceStatus.SUBMITTED, **columns: Any
    ) -> Evidence:
        """Adds evidence with a file, and without its version: see `evidence_version`."""
        learner = await self.session.get_one(Learner, aim.learner_id)
        values = {
            "title": "Evidence",
            "description": "What I did",
            "declared_own_work": True,
            "submitted_by_id": submitted_by.id,
            "submitted_at": self.now,
            **columns,
        }
        if "file_id" not in values:
            values["file_id"] = (await self.file(submitted_by, learner, aim)).id
        return await self.add(Evidence(**keys_of(aim), aim_id=aim.id, status=status, **values))

    async def evidence_version(
        self, evidence: Evidence, number: int = 1, file: File | None = None, **columns: Any
    ) -> EvidenceVersion:
        """Adds a version with the current file of the evidence, or with `file`."""
        values = {
            "file_id": file.id if file else evidence.file_id,
            "submitted_by_id": evidence.submitted_by_id,
            "submitted_at": self.now,
            **columns,
        }
        return await self.add(EvidenceVersion(**keys_of(evidence), evidence_id=evidence.id, number=number, **values))

    async def evidence_signature(
        self, evidence: Evidence, signed_by: User, role: Role, version_number: int = 1, **columns: Any
    ) -> EvidenceSignature:
        values = {"signed_at": self.now, "statement": "-", "file_sha256": SHA256, **columns}
        return await self.add(
            EvidenceSignature(
                **keys_of(evidence),
                evidence_id=evidence.id,
                version_number=version_number,
                role=role,
                signed_by_id=signed_by.id,
                **values,
            )
        )

    async def evidence_mapping(
        self, evidence: Evidence, criterion: QualificationCriterion, mapped_by: User, **columns: Any
    ) -> EvidenceMapping:
        """Maps evidence to a criterion of its aim."""
        values = {"mapped_at": self.now, **columns}
        return await self.add(
            EvidenceMapping(
                **keys_of(evidence),
                evidence_id=evidence.id,
                aim_id=evidence.aim_id,
                unit_id=criterion.unit_id,
                criterion_id=criterion.id,
                mapped_by_id=mapped_by.id,
                **values,
            )
        )

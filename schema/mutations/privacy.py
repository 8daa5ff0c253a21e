"""Mutations of privacy: everything about one learner, and a learner erased; for a Master Admin."""

from typing import Annotated

import strawberry

from loaders.learner import LearnerLoader
from resolvers import privacy
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field
from schema.types.file import Download
from schema.types.learner import Learner


@strawberry.type(description="What is left of a learner's record once it was erased.")
class LearnerErasePayload:
    learner: Learner | None = attribute("The record, without a name; null where nothing was erased.")
    errors: list[UserError] = errors_field()


@strawberry.type(description="Where everything about one learner is to be had.")
class SubjectAccessExportPayload:
    download: Download | None = attribute(
        "A ZIP with every record as JSON and every file, made when it is opened; null where it was refused."
    )
    errors: list[UserError] = errors_field()


async def _itself(result: object, _: object) -> object:
    return result


@strawberry.type
class PrivacyMutations:
    @strawberry.mutation(
        description="Erases a learner for good: name, contact, ULN, files and every word are gone; dates, sums and who "
        "signed when stay without a name. Aims that still run are withdrawn."
    )
    async def learner_erase(
        self,
        info: Info,
        id: Id,
        confirm_name: Annotated[
            str,
            strawberry.argument(description="The learner's name as it stands, to be sure that it is them."),
        ],
    ) -> LearnerErasePayload:
        write = privacy.erase(info.context, id=id, confirm_name=confirm_name)
        return await answer(info, LearnerErasePayload, write, learner=lambda key, load: load[LearnerLoader].load(key))

    @strawberry.mutation(description="Everything about one learner, to hand to them; the audit trail notes who asked.")
    async def subject_access_export(
        self, info: Info, learner_id: Annotated[strawberry.ID, strawberry.argument(description="Whom it is about.")]
    ) -> SubjectAccessExportPayload:
        write = privacy.subject_access(info.context, learner_id=learner_id)
        return await answer(info, SubjectAccessExportPayload, write, download=_itself)

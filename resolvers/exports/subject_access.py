"""Everything about one learner as a ZIP, for a Master Admin who was asked for it."""

import tempfile
from typing import BinaryIO

from auth import policy
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from resolvers.core.context import Services
from services.privacy.subject_access_zip import write_export
from services.storage.atomic_write import NO_SPACE
from services.storage.file_store import StoreFull


async def subject_access(services: Services, loaders: Loaders, learner_key: int) -> BinaryIO | None:
    """The ZIP in a file that has no name and goes when it is closed; None where the viewer may not have it.

    Raises StoreFull, StoreUnavailable.
    """
    reading = loaders.reading
    if (
        not policy.may(reading.viewer.role, "subjectAccessExport")
        or await loaders[LearnerLoader].load(learner_key) is None
    ):
        return None
    out: BinaryIO = tempfile.TemporaryFile()
    try:
        await write_export(services.database, services.files, learner_key, out, reading.now)
    except BaseException as error:
        out.close()
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise StoreFull("There is no room for the export.") from error
        raise
    return out

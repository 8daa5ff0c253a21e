"""Everything about one learner as a ZIP, for a subject access request."""

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
    """Returns the ZIP as a temporary file, which is deleted when it is closed; None unless the viewer may export it.

    Raises StoreFull, StoreUnavailable.
    """
    reading = loaders.reading
    if (
        not policy.may(reading.viewer.role, "subjectAccessExport")
        or await loaders[LearnerLoader].load(learner_key) is None
    ):
        return None
    out: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it after sending
    try:
        await write_export(services.database, services.files, learner_key, out, reading.now)
    except BaseException as error:
        out.close()
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise StoreFull("The disk is full.") from error
        raise
    return out

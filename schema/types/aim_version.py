"""Earlier versions of an aim."""

import datetime as dt

from loaders.aim_version import AimVersionRow
from loaders.qualification import QualificationLoader
from schema.field_builders import attribute, loaded, person
from schema.relay import value
from schema.types.qualification import Qualification
from schema.types.user import User


@value(AimVersionRow, "A version of its qualification that an aim was measured against before it moved to another one.")
class AimVersion:
    qualification: Qualification = loaded("The earlier version.", QualificationLoader, by="qualification_key")
    changed_by: User = person("The user who moved the aim to the next version.", "changed_by_key")
    changed_at: dt.datetime = attribute("When the aim moved to the next version.")

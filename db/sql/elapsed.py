"""The time between two moments as SQL."""

from sqlalchemy import Float
from sqlalchemy.sql.functions import GenericFunction

from db.sql.two_databases import written_as


class elapsed_days(GenericFunction[float]):
    """The number of days, with their fraction, from the first moment to the second."""

    name = "elapsed_days"
    type = Float()
    inherit_cache = True


written_as(
    elapsed_days,
    postgresql="CAST(EXTRACT(EPOCH FROM ({1} - {0})) / 86400 AS DOUBLE PRECISION)",
    sqlite="(julianday({1}) - julianday({0}))",
)

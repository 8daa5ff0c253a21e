"""The number of a month as SQL, for every day of a century."""

import datetime as dt

from sqlalchemy import Integer, bindparam, select

from db.database import Database
from db.models.aim_history import day_number
from db.sql.month_number import month_number
from tests.support.factories import DAY


async def test_every_day_has_the_number_of_its_month(database: Database):
    statement = select(month_number(bindparam("day", type_=Integer)).label("number"))
    first = dt.date(2000, 3, 1)
    # The days around the end of each month, in leap years and others.
    days = [first + number * DAY for number in range(4 * 366)]
    days += [day for year in (2026, 2027, 2028, 2036, 2099) for day in (dt.date(year, 2, 28), dt.date(year, 3, 1))]
    for day in days:
        (row,) = await database.rows(statement, {"day": day_number(day)})
        assert row.number == (day.year - 2000) * 12 + day.month - 3, day

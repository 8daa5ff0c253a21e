"""Runs the mutations of what a user orders for themself: access keys, bulk exports and schedules."""

import datetime as dt
from typing import Any

from domain import clock
from tests.support.http_server import PASSWORD, Clients


async def own_orders(meter: Any, clients: Clients) -> None:
    admin = await clients("master.admin")
    expires = (clock.now() + dt.timedelta(days=30)).isoformat()
    key = await meter(admin, "accessKeyCreate", input={"name": "Reports", "expiresAt": expires, "password": PASSWORD})
    await meter(admin, "accessKeyRevoke", id=key)
    await meter(admin, "bulkExportStart", operation="reviews_due", variables=None, format="CSV")
    report = {"operation": "reviews_due", "every": "WEEK", "format": "CSV"}
    schedule = await meter(admin, "reportSchedule", input=report)
    await meter(admin, "reportScheduleEnd", id=schedule)
    await meter(admin, "reportScheduleResume", id=schedule)

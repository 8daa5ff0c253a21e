"""Rules of schedules: everybody who sees one may end it and start it again."""

from resolvers.core.rules import Owned, RecordRules

REPORT_SCHEDULE = RecordRules("ReportSchedule", state=lambda row: Owned())
REPORT_SCHEDULE.by_role("reportScheduleEnd", "reportScheduleResume")

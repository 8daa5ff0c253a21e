"""What each saved operation costs, how many SQL statements it runs, and which roles may use it."""

from dataclasses import dataclass

from tests.queries.conftest import USERNAMES

ALL = frozenset(USERNAMES)
SIGNERS = ALL - {"BASIC_ADMIN", "MASTER_ADMIN"}
SUBMITTERS = ALL - {"IQA", "BASIC_ADMIN", "MASTER_ADMIN"}
LOGGERS = frozenset({"LEARNER", "ASSESSOR", "BASIC_ADMIN", "MASTER_ADMIN"})


@dataclass(frozen=True)
class Expected:
    """The cost of one page in points, its largest number of SQL statements, and the roles that may use the operation.

    The statement that reads the viewer is included. `on_postgresql` is the number of statements on PostgreSQL where
    it differs from SQLite, because transactions begin and lock differently. `split` is how many more there can be where
    several lists of an operation load the same kind of record, and are not read at the same moment.
    """

    cost: int
    statements: int
    roles: frozenset[str] = ALL
    on_postgresql: int | None = None
    split: int = 0


READS = {
    "assessor_workload": Expected(203, 4),
    "awaiting_signature": Expected(503, 5),
    "dictionary": Expected(1001, 1),
    "document_to_sign": Expected(34, 4),
    "documents_to_sign": Expected(1204, 5),
    "employer_actions": Expected(153, 5),
    "employer_dashboard": Expected(604, 5),
    "employer_home": Expected(4, 2),
    "employer_kpis": Expected(5, 2),
    "employer_learner": Expected(14, 4),
    "employer_learners": Expected(1303, 4),
    "employer_portfolio": Expected(395, 11, split=2),
    "employer_tasks": Expected(164, 6),
    "employer_visits": Expected(153, 3),
    "evidence_ageing": Expected(503, 4),
    "evidence_to_read": Expected(63, 7),
    "hours_by_month": Expected(4103, 5),
    "kpi_groups": Expected(32, 3),
    "kpi_history": Expected(12, 4),
    "learner_home": Expected(20, 9, frozenset({"LEARNER"})),
    "learner_criteria": Expected(6763, 5),
    "learners_off_track": Expected(1103, 4),
    "learning_plan": Expected(2644, 6),
    "notification_settings": Expected(23, 4),
    "off_the_job_hours": Expected(403, 4),
    "outcomes": Expected(3, 2),
    "overdue_actions": Expected(503, 5),
    "progress_map": Expected(339, 4),
    "record_ids": Expected(2, 2),
    "report_choices": Expected(505, 6),
    "review_to_read": Expected(98, 8),
    "report_orders": Expected(32, 3),
    "reviews_due": Expected(403, 4),
    "sign_off_funnel": Expected(223, 3),
    "site_comparison": Expected(403, 3),
    "time_log": Expected(205, 5),
    "time_to_confirm": Expected(404, 5),
    "turnaround": Expected(12, 6),
    "unit_record_sheet": Expected(273, 8),
    "unit_to_sign": Expected(56, 6),
}
EMPLOYER = frozenset({"EMPLOYER_MANAGER"})
MUTATIONS = {
    "answer_review": Expected(43, 15, EMPLOYER, on_postgresql=12),
    "bulk_export_start": Expected(23, 14, on_postgresql=11),
    "confirm_time": Expected(32, 11, EMPLOYER, on_postgresql=8),
    "disclaimer_accept": Expected(23, 6, on_postgresql=5),
    "file_upload_create": Expected(33, 10, on_postgresql=8),
    "log_out": Expected(22, 7, on_postgresql=4),
    "log_time": Expected(25, 15, LOGGERS, on_postgresql=12),
    "notification_settings_update": Expected(24, 12, EMPLOYER, on_postgresql=9),
    "password_change": Expected(24, 20, on_postgresql=16),
    "push_subscription_add": Expected(33, 13, EMPLOYER, on_postgresql=10),
    "push_subscription_remove": Expected(33, 12, EMPLOYER, on_postgresql=9),
    "report_schedule": Expected(23, 12, on_postgresql=9),
    "report_schedule_end": Expected(23, 11, on_postgresql=8),
    "report_schedule_resume": Expected(23, 13, on_postgresql=10),
    "resubmit_evidence": Expected(24, 21, EMPLOYER, on_postgresql=18),
    "second_factor_confirm": Expected(23, 17, on_postgresql=14),
    "second_factor_enrol": Expected(22, 17, on_postgresql=13),
    "sign_document": Expected(43, 22, SIGNERS, on_postgresql=18),
    "sign_documents": Expected(32, 29, EMPLOYER, on_postgresql=23),
    "sign_evidence": Expected(43, 22, EMPLOYER, on_postgresql=18),
    "sign_in": Expected(24, 16, on_postgresql=12),
    "sign_in_with_provider": Expected(24, 28, on_postgresql=22),
    "sign_review": Expected(43, 22, EMPLOYER, on_postgresql=18),
    "sign_unit": Expected(43, 21, EMPLOYER, on_postgresql=17),
    "signing_code_request": Expected(22, 11, on_postgresql=8),
    "submit_evidence": Expected(55, 24, SUBMITTERS, on_postgresql=20),
    "token_refresh": Expected(23, 9, on_postgresql=8),
}
# Without a token.
ANONYMOUS = {"identity_providers": Expected(11, 1)}
LIVE = {"kpis_live": Expected(3, 3), "learner_changed": Expected(14, 5), "tasks_live": Expected(11, 3)}
EXPECTED = READS | MUTATIONS | ANONYMOUS | LIVE

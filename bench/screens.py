"""The screens that are compared: Waymark's operation and variables, LIMIT's path, who opens each, and its goals."""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from domain import clock
from domain.enums import Role

ROOT = Path(__file__).parent.parent
_OWN, _SAVED = ROOT / "bench" / "operations", ROOT / "queries"
# The diary is opened at one of so many days from today.
DIARY_DAYS = 14


@dataclass(frozen=True, slots=True)
class ScreenRequest:
    """A request for a screen, before a server encodes it.

    `overview` is the key of the viewer; `learner` is for the screens of one learner, `after` for the dashboard's second
    page, `day` for the diary: days from today.
    """

    screen: str
    token: str
    overview: int
    learner: int = 0
    after: str | None = None
    day: int = 0

    @property
    def starts_from(self) -> str:
        """The moment from which the diary shows sessions."""
        return clock.start_of(clock.today() + dt.timedelta(days=self.day)).isoformat()


def _nothing(request: ScreenRequest) -> dict[str, Any]:
    return {}


def _of_learner(request: ScreenRequest) -> dict[str, Any]:
    return {"learnerId": f"Learner_{request.learner}"}


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen.

    `goals` are the least throughput relative to LIMIT, with 1 and with 16 connections; `statements` the most SQL
    statements a request.
    """

    title: str
    operation: str
    file: Path
    path: Callable[[ScreenRequest], str]
    variables: Callable[[ScreenRequest], dict[str, Any]]
    goal: float
    statements: int
    role: Role = Role.EMPLOYER_OVERVIEW


SCREENS = {
    "map": Screen(
        "progress map (1 learner, 3 aims x 12 units x 15 criteria)", "ProgressMap", _OWN / "progress_map.graphql",
        lambda request: f"/map/{request.learner}", _of_learner, 1.3, 5,
    ),
    "dashboard": Screen(
        "employer dashboard (200 learners x 3 aims, in 2 pages)", "EmployerDashboard",
        _OWN / "employer_dashboard.graphql",
        lambda request: f"/dashboard?after={request.after}" if request.after else "/dashboard",
        lambda request: {"first": 100, "after": request.after}, 1.0, 5,
    ),
    "kpis": Screen(
        "employer KPIs (1 object over 200 learners)", "EmployerKpis", _OWN / "employer_kpis.graphql",
        lambda request: "/kpis", _nothing, 1.0, 4,
    ),
    "plan": Screen(
        "learning plan (1 learner, up to 20 sessions with actions and files)", "LearningPlan",
        _SAVED / "learning_plan.graphql", lambda request: f"/plan/{request.learner}", _of_learner, 0.8, 6,
    ),
    "library": Screen(
        "evidence library (1 learner, up to 50 pieces with criteria and signatures)", "EvidenceLibrary",
        _OWN / "evidence_library.graphql", lambda request: f"/library/{request.learner}", _of_learner, 0.8, 9,
    ),
    "inbox": Screen(
        "assessor's inbox (up to 100 pieces of evidence that wait, of 40 learners)", "EvidenceAgeing",
        _SAVED / "evidence_ageing.graphql", lambda request: "/inbox", _nothing, 0.8, 5, Role.ASSESSOR,
    ),
    "diary": Screen(
        "diary (50 planned sessions of 200 learners)", "EmployerVisits", _SAVED / "employer_visits.graphql",
        lambda request: f"/diary?from={quote(request.starts_from)}",
        lambda request: {"startsFrom": request.starts_from}, 0.8, 3,
    ),
    "tasks": Screen(
        "tasks (up to 50 of what waits for an employer, with the number of each kind)", "EmployerTasks",
        _SAVED / "employer_tasks.graphql", lambda request: "/tasks", _nothing, 0.8, 6,
    ),
}  # fmt: skip


def operation(screen: str) -> tuple[str, str]:
    """Returns the name and the text of Waymark's operation for a screen."""
    return SCREENS[screen].operation, SCREENS[screen].file.read_text(encoding="utf-8")


def normalize(screen: str, data: Any) -> Any:
    """Removes from a response what differs between servers: the time of reading, and addresses and ends of links."""
    if screen == "kpis":
        del data["viewer"]["kpis"]["generatedAt"]
    if screen == "plan" and data["learner"]:
        for session in data["learner"]["sessions"]["nodes"]:
            for file in session["files"]:
                del file["download"]["expiresAt"]
                file["download"]["url"] = _claims(file["download"]["url"])
    return data


def _claims(link: str) -> Any:
    """Returns what a signed link is for."""
    body = link.rpartition("/")[2].partition(".")[0]
    try:
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))[1]
    except (ValueError, binascii.Error):
        return link

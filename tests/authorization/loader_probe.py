"""What is read by key, asked for directly: each loader, list and read of a change, with every key of a world.

A resolver asks for keys that it came to by what the viewer sees: a condition in the loader behind it is a second line of
defence, and no question of the graph shows whether it holds. Here nothing stands before it. Each must give what it
gives in a world that was cut down to what the viewer sees (`given`), or what the oracle says (`disagreements`).
"""

import pkgutil
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property
from importlib import import_module
from typing import Any

import loaders
from auth import scope
from db.database import Database
from db.models.registry import Employer, Learner
from domain.enums import CriterionFilter, LearnerOrder, Role, TrafficLight
from loaders import learner, user
from loaders.aggregates import Metric
from loaders.core import viewer_list
from loaders.core.learner_list import LearnerList, PagesLoader, whole_list
from loaders.core.pagination import Page
from loaders.core.registry import Loaders
from loaders.file import read_stored
from loaders.learner import LearnerFilter
from repositories import people as people_writing
from repositories import session as session_writing
from repositories import time_log_entry as time_log_entry_writing
from repositories.scoped import TYPE_NAMES, one_for_write
from tests.authorization.oracle import Sight
from tests.authorization.rows import Rows
from tests.authorization.viewer_crawler import Looker

# Each relation of loaders/core/registry.py: what its keys name.
KEYS = {
    "learner": "learner aims_of_learner programme upcoming review_schedule awaiting_signature cv_sections cv_documents off_the_job "
    "managers_of_learner",
    "aim": "aim units_of_aim criterion_progress resources_of_aim resource_count",
    "unit": "unit unit_signatures evidence_of_unit",
    "criterion": "criterion evidence_of_criterion",
    "user_account": "named_user sites_of_overview",
    "file": "file",
    "evidence": "evidence versions evidence_signatures mappings",
    "action": "action evidence_of_action files_of_action",
    "session": "session aims_of_session files_of_session actions_of_session",
    "time_log_entry": "time_log_entry",
    "signature_request": "signature_request slots",
    "resource": "resource",
    "employer": "employer sites_of_employer",
    "qualification": "qualification unit_funnel",
    "audit_event": "audit_event",
    "parts": "kpis",
    "employer_parts": "kpis_of_employer",
}
# Held against the oracle; the last takes units, which were read already.
OTHERS = {"user", "contact", "named_file", "unit_progress"}

# What a filter by key names.
NAMED = {"aim_key": "aim", "assessor_key": "user_account", "employer_key": "employer"}
# A record may name by its key what its viewer does not see: who asks for that is told that it is not there.
LEADS_TO = {
    "parent_key": "Employer", "employer_parent_key": "Employer", "session_key": "Session", "photo_key": "File",
    "action_key": "Action", "aim_key": "Aim",
}  # fmt: skip

# What these give is seen or not by itself, whatever led there: of one out of sight, what is out of sight must not come.
BY_THEMSELVES = {
    "actions_of_session": ("Session", "Action"),
    "evidence_of_action": ("Action", "Evidence"),
    "sites_of_employer": ("Employer", "Employer"),
}


def relations() -> set[str]:
    """Every relation without arguments that loaders/core/registry.py names."""
    return {name for name, value in vars(Loaders).items() if isinstance(value, cached_property)}


def lists(kind: type) -> dict[str, Any]:
    """Every list of that kind that a module of loaders/ names, by its name there."""
    modules = [import_module(f"loaders.{found.name}") for found in pkgutil.iter_modules(loaders.__path__)]
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, kind)}


def keys_of(rows: Rows) -> dict[str, list[Any]]:
    """Every key of a world, whoever may see it, by what it names."""
    keys: dict[str, list[Any]] = {table: [row["id"] for row in found if "id" in row] for table, found in rows.items()}
    for kind in ("unit", "criterion"):
        keys[kind] = [
            (aim["id"], row["id"])
            for aim in rows["aim"]
            for row in rows[f"qualification_{kind}"]
            if row["qualification_id"] == aim["qualification_id"]
        ]
    keys["parts"] = [frozenset(Metric)]
    keys["employer_parts"] = [(key, frozenset(Metric)) for key in keys["employer"]]
    return keys


async def given(looker: Looker, sight: Sight) -> dict[str, Any]:
    """All that loaders and lists give somebody, as plain data. `sight`: what they see in the world the keys are of."""
    keys, found = keys_of(looker.rows), {}
    seen = {name: {int(id.partition("_")[2].partition(".")[0]) for id in ids} for name, ids in sight.ids.items()}

    def fresh() -> Loaders:
        # One for each question: what another one read must not stand in for it.
        return looker.context(sight.me, sight.role).loaders

    def keep(name: str, asked: Iterable[Any], answers: Iterable[Any]) -> None:
        found[name] = {repr(key): plain(answer, seen) for key, answer in zip(asked, answers, strict=True)}

    for kind, names in KEYS.items():
        for name in names.split():
            answers = await getattr(fresh(), name).load_many(keys[kind])
            if name in BY_THEMSELVES:
                leads, gives = (seen[type_] for type_ in BY_THEMSELVES[name])
                answers = [
                    [row for row in rows if key in leads or row.key not in gives]
                    for key, rows in zip(keys[kind], answers, strict=True)
                ]
            keep(name, keys[kind], answers)
    units = [unit for unit in await fresh().unit.load_many(keys["unit"]) if unit is not None]
    for which in CriterionFilter:
        keep(f"criteria_of_unit {which}", units, await fresh().criteria_of_unit(which).load_many(units))
    keep("time_log_calendar", keys["learner"], await fresh().time_log_calendar().load_many(keys["learner"]))
    keep("own_grants", ["own"], [await fresh().own_grants()])
    async for name, asked, pages in _pages(fresh, keys):
        found[name] = {repr(key): plain(page, seen) for key, page in zip(asked, pages, strict=True)}
    return found


async def _pages(fresh: Any, keys: dict[str, list[Any]]) -> AsyncIterator[tuple[str, list[Any], list[Any]]]:
    for name, listed in lists(LearnerList).items():
        for asked in _filters(listed.conditions, keys):
            loader: PagesLoader = fresh().pages(listed, 100, None, **asked)
            yield (
                f"{name} {asked}",
                keys["learner"],
                [await told(page) for page in await loader.load_many(keys["learner"])],
            )
        reading = fresh().reading
        whole = [await whole_list(reading, listed, key, {}, at_once=3) for key in keys["learner"]]
        yield f"{name} whole", keys["learner"], whole
    for name, listed in lists(viewer_list.ViewerList).items():
        if listed is not user.USERS:
            for asked in _filters(listed.conditions, keys):
                page = await viewer_list.read_page(fresh().reading, listed, 100, None, True, asked)
                yield f"{name} {asked}", ["own"], [await told(page)]
    for asked, which in _questions(keys):
        page = await learner.read_page(fresh().reading, asked, which, 100, None, True)
        yield f"learners {asked} {which}", ["own"], [await told(page)]
        if asked.employer_key is None:
            loader = fresh().learners_of_employer(asked, which, 100, None)
            answers = [await told(page) for page in await loader.load_many(keys["employer"])]
            yield f"learners of employers {asked} {which}", keys["employer"], answers


def _filters(conditions: Iterable[str], keys: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Nothing, and each filter by key with every key: another one looks at the record itself."""
    yield {}
    for name in conditions:
        for key in keys.get(NAMED.get(name, ""), ()):
            yield {name: key}


def _questions(keys: dict[str, list[Any]]) -> Iterator[tuple[LearnerFilter, LearnerOrder]]:
    for which in LearnerOrder:
        yield LearnerFilter(), which
    for light in TrafficLight:
        yield LearnerFilter(traffic_light=light), LearnerOrder.NAME_ASC
        yield LearnerFilter(aim_traffic_light=light), LearnerOrder.NAME_ASC
    for late in (True, False):
        yield LearnerFilter(past_planned_end=late), LearnerOrder.NAME_ASC
    for key in keys["user_account"]:
        yield LearnerFilter(assessor_key=key), LearnerOrder.NAME_ASC
    for key in keys["employer"]:
        yield LearnerFilter(employer_key=key), LearnerOrder.NAME_ASC


async def told(page: Page[Any]) -> Any:
    """A page with what it counts and adds up."""
    return [page.nodes, page.has_next_page, await page.count(), list(await page.extra()) if page.extra else []]


def plain(value: Any, seen: dict[str, set[int]]) -> Any:
    """A light row as lists and dictionaries; a key that leads to what is not among the seen is None."""
    if isinstance(value, Enum) or value is None:
        return value
    if is_dataclass(value):
        if type(value).__name__.endswith("Reference"):
            return value.key  # Of a qualification, which is nobody's.
        made = {field.name: getattr(value, field.name) for field in fields(value)}
        for name in made.keys() & LEADS_TO.keys():
            made[name] = made[name] if made[name] in seen[LEADS_TO[name]] else None
        return {name: plain(part, seen) for name, part in made.items()}
    if isinstance(value, dict):
        return {repr(name): plain(part, seen) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, seen) for part in value]
    return value


async def disagreements(looker: Looker, sight: Sight) -> list[str]:
    """Where people, files and what a change reads are not what the oracle says."""
    keys, found = keys_of(looker.rows), []

    def same(name: str, got: Iterable[int], expected: Iterable[int]) -> None:
        if set(got) != set(expected):
            found.append(f"{name}: {sorted(set(got) ^ set(expected))[:9]}")

    context = looker.context(sight.me, sight.role)
    loaded, reading = context.loaders, context.loaders.reading
    provided = {table: {row["id"] for row in sight.of(table)} for table in ("user_account", "file")}
    arrived = {row["id"] for row in looker.rows["file"] if row["uploaded_at"] is not None}
    contacts = {int(id.partition("_")[2]) for id in sight.contacts}
    for name, kind, expected in (
        ("user", "user_account", sight.users),
        ("contact", "user_account", contacts),
        ("named_user", "user_account", provided["user_account"]),
        ("named_file", "file", provided["file"] & arrived),
    ):
        answers = await getattr(loaded, name).load_many(keys[kind])
        same(name, [key for key, row in zip(keys[kind], answers, strict=True) if row is not None], expected)
    same("read_stored", [key for key in keys["file"] if await read_stored(reading, key)], sight.files)
    archived = {row["id"] for row in looker.rows["user_account"] if row["archived_at"] is not None}
    for role in (None, *Role):
        held = {row["user_id"] for row in sight.of("role_grant", role=role)} if role else sight.users
        page = await viewer_list.read_page(reading, user.USERS, 100, None, False, {"role": role})
        same(f"USERS {role}", [row.key for row in page.nodes], (sight.users & held) - archived)
    await _changes(looker.database, context.require_active_viewer(), sight, keys, same)
    return found


async def _changes(database: Database, viewer: Any, sight: Sight, keys: dict[str, list[Any]], same: Any) -> None:
    """What a change finds by the ids that it is given."""
    arrived = {row["id"] for row in sight.rows["file"] if row["uploaded_at"] is not None}
    for entity, type_ in TYPE_NAMES.items():
        table, expected = entity.__tablename__, {int(id.partition("_")[2]) for id in sight.ids[type_]}
        statement = one_for_write(sight.role, entity, False).with_only_columns(entity.id)
        for key in keys[table]:
            rows = await database.rows(statement, {**scope.viewer_params(viewer), "key": key}, True)
            if entity.__name__ != "File" or key in arrived:
                same(f"one {type_} for write", [row.id for row in rows], {key} & expected)
    async with database.writing() as session:
        for entity, expected in ((Learner, sight.learners), (Employer, sight.employers)):
            table = entity.__tablename__
            same(f"seen {table}", await people_writing.visible_keys(session, viewer, entity, keys[table]), expected)
        entries = await time_log_entry_writing.entries_for_write(session, viewer, keys["time_log_entry"])
        same("entries for write", entries, sight.records["TimeLogEntry"])
        for key in keys["learner"]:
            aims = {row["id"] for row in sight.of("aim", learner_id=key)}
            found = await session_writing.visible_aims(session, viewer, key)
            same("seen aims", [aim.id for aim in found], sight.aims & aims)

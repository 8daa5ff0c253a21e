"""Calls each loader, list and scoped read for a write directly, with every key of a database.

A resolver passes keys that it found in visible records, so the condition in the loader is a second line of defence that
no query tests. Here it is the only one. Each loader must return what it returns from a database with only the visible
rows (`results`), or what the oracle says (`disagreements`).
"""

import datetime as dt
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from auth import scope
from db.database import Database
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.registry import entities
from domain import global_id
from domain.enums import CriterionFilter, KpiGroupBy, Role
from domain.submodules import import_submodules
from loaders.action import ActionsOfSessionLoader
from loaders.aggregates import GroupBy, Metric
from loaders.assessor_workload import AssessorWorkloadLoader
from loaders.core.base import EntityLoader
from loaders.core.dataloader import BaseLoader
from loaders.core.filters import by_value, flag, one_of, refers_to, when
from loaders.core.paged_list import PagedList, PagesLoader, read_page, whole_list
from loaders.core.pagination import Page, PageArguments
from loaders.core.registry import Loaders
from loaders.criterion import CriteriaOfUnitLoader
from loaders.employer import SitesOfEmployerLoader
from loaders.evidence import EvidenceOfActionLoader
from loaders.file import NamedFileLoader, read_stored
from loaders.kpi_slice import Slice
from loaders.kpis import KpisLoader, KpisOfEmployerLoader
from loaders.off_the_job_detail import LearningLoader, ProgrammeTimeLoader
from loaders.role_grant import GrantsOfUserLoader, own_grants
from loaders.time_log_entry import CalendarLoader
from loaders.unit import UnitLoader
from loaders.unit_progress import UnitProgressLoader, UnitSignedOffLoader
from loaders.user import USERS, ContactLoader, NamedUserLoader, UserLoader
from loaders.user_state import OpenWorkLoader, OtherMasterAdminLoader, RolesOfUserLoader
from repositories import aim as aim_repository
from repositories import time_log_entry as time_log_entry_repository
from repositories import user as user_repository
from repositories.scoped import one_for_write
from tests.authorization.oracle import Visibility
from tests.authorization.rows import TABLE_OF, Rows
from tests.authorization.viewer_crawler import ViewerCrawler, every_id

KEYS_OF = {
    KpisLoader: "metrics", KpisOfEmployerLoader: "employer_metrics", LearningLoader: "owners",
    ProgrammeTimeLoader: "owners",
}  # fmt: skip
# Compared with the oracle, because a reduced database keeps the rows that these loaders return.
COMPARED_WITH_ORACLE = (UserLoader, ContactLoader, NamedUserLoader, NamedFileLoader)
# What only rules read, also of users and records that the viewer does not see: they say what a mutation would say.
FACTS_OF_USERS = (RolesOfUserLoader, OpenWorkLoader, OtherMasterAdminLoader)
# These loaders do not take keys of a table; `results` calls them separately.
CALLED_SEPARATELY = {
    CriteriaOfUnitLoader, UnitProgressLoader, UnitSignedOffLoader, CalendarLoader, AssessorWorkloadLoader
}  # fmt: skip

# A visible record may contain the key of a record that is not visible: reading that key gives null.
REFERENCES = {
    "parent_key": "Employer", "session_key": "Session", "photo_key": "File", "action_key": "Action", "aim_key": "Aim",
}  # fmt: skip

# The rows that these loaders return may be visible although the owner that is the key is not: (type of the owner, type
# of the rows). For an invisible owner only the invisible rows must be missing.
VISIBLE_WITHOUT_OWNER = {
    ActionsOfSessionLoader: ("Session", "Action"),
    EvidenceOfActionLoader: ("Action", "Evidence"),
    SitesOfEmployerLoader: ("Employer", "Employer"),
}


Modules = Collection[str] | None  # names of modules; None for all


def loader_classes(only: Modules = None) -> list[type[BaseLoader]]:
    """Returns every loader class of the package `loaders`, without the base classes."""
    found = [
        value
        for module in import_submodules("loaders")
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseLoader) and value.__module__ == module.__name__
    ]
    return [each for each in found if not each.__name__.startswith("_") and (only is None or each.__module__ in only)]


def lists(only: Modules = None) -> dict[str, PagedList]:
    """Returns every list of the package `loaders`, by the name of its constant."""
    modules = [module for module in import_submodules("loaders") if only is None or module.__name__ in only]
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, PagedList)}


def keys_of(rows: Rows) -> dict[str, list[Any]]:
    """Returns every key of a database, visible or not, by table or kind of key."""
    keys: dict[str, list[Any]] = {table: [row["id"] for row in found if "id" in row] for table, found in rows.items()}
    for kind in ("unit", "criterion"):
        keys[kind] = [
            (aim["id"], row["id"])
            for aim in rows["aim"]
            for row in rows[f"qualification_{kind}"]
            if row["qualification_id"] == aim["qualification_id"]
        ]
    keys["manager"] = keys["user_account"]
    keys["task"] = [int(id.partition("_")[2]) for id in every_id(rows) if id.startswith("Task_")]
    keys["dates"] = sorted({aim[name] for aim in rows["aim"] for name in ("start_date", "planned_end_date")})
    keys["metrics"] = [frozenset(Metric)]
    keys["employer_metrics"] = [(key, frozenset(Metric)) for key in keys["employer"]]
    kinds = {GroupBy.AIM: "aim", GroupBy.LEARNER: "learner", GroupBy.EMPLOYER: "employer"}
    keys["owners"] = [(kind, key) for kind, table in kinds.items() for key in keys[table]] + [(GroupBy.VIEWER, None)]
    keys["owners"] += [(Slice(KpiGroupBy.ASSESSOR, (), ()), key) for key in keys["user_account"]]
    return keys


async def results(crawler: ViewerCrawler, visibility: Visibility, only: Modules = None) -> dict[str, Any]:
    """Returns what all loaders and lists return to a viewer, as plain data. `visibility`: of the viewer in all rows."""
    keys, found = keys_of(crawler.rows), {}
    seen = {name: {int(id.partition("_")[2].partition(".")[0]) for id in ids} for name, ids in visibility.ids.items()}

    def new_loaders() -> Loaders:
        # New loaders for each call, so that no result comes from a cache.
        return crawler.context(visibility.me, visibility.role).loaders

    def keep(name: str, keys: Iterable[Any], answers: Iterable[Any]) -> None:
        found[name] = {repr(key): plain(answer, seen) for key, answer in zip(keys, answers, strict=True)}

    for loader in loader_classes(only):
        if loader in CALLED_SEPARATELY or loader in (UserLoader, ContactLoader, NamedFileLoader, *FACTS_OF_USERS):
            continue
        kind = KEYS_OF.get(loader) or loader.keys_of
        answers = await new_loaders()[loader].load_many(keys[kind])
        if loader in VISIBLE_WITHOUT_OWNER:
            owners, returned = (seen[type_] for type_ in VISIBLE_WITHOUT_OWNER[loader])
            answers = [
                [row for row in rows if key in owners or row.key not in returned]
                for key, rows in zip(keys[kind], answers, strict=True)
            ]
        keep(loader.__name__, keys[kind], answers)
    units = [unit for unit in await new_loaders()[UnitLoader].load_many(keys["unit"]) if unit is not None]
    for which in CriterionFilter:
        keep(f"criteria_of_unit {which}", units, await new_loaders().get(CriteriaOfUnitLoader, which).load_many(units))
    keep("unit_signed_off", units, await new_loaders()[UnitSignedOffLoader].load_many(units))
    keep("time_log_calendar", keys["learner"], await new_loaders()[CalendarLoader].load_many(keys["learner"]))
    workload = new_loaders().get(AssessorWorkloadLoader, dt.date(2000, 1, 1), dt.date(2036, 1, 1))
    waiting = [each.waiting_count for each in await workload.load_many(keys["user_account"])]
    keep("assessor_workload", keys["user_account"], waiting)
    keep("own_grants", ["own"], [await own_grants(new_loaders().reading)])
    async for name, owners, pages in _pages(new_loaders, keys, only):
        found[name] = {repr(key): plain(page, seen) for key, page in zip(owners, pages, strict=True)}
    return found


async def read_alone(crawler: ViewerCrawler, visibility: Visibility) -> AsyncIterator[tuple[str, set[Any], set[Any]]]:
    """Yields for each loader of an entity the keys that it finds one at a time, and those that it finds together."""
    keys = keys_of(crawler.rows)
    for loader in loader_classes():
        if not issubclass(loader, EntityLoader):
            continue
        # Two at least, of which one may not exist.
        asked = [*keys[loader.keys_of], 0]

        def new_loader(loader: Any = loader) -> Any:
            return crawler.context(visibility.me, visibility.role).loaders[loader]

        alone = {key for key in asked if await new_loader().load(key) is not None}
        together = await new_loader().load_many(asked)
        yield loader.__name__, alone, {key for key, row in zip(asked, together, strict=True) if row is not None}


async def _pages(new_loaders: Any, keys: Any, only: Modules) -> AsyncIterator[tuple[str, list[Any], list[Any]]]:
    whole_page = PageArguments(first=100)
    for name, listed in lists(only).items():
        for values, order_by in _filters_and_orders(listed, keys):
            if listed is not USERS:
                page = await read_page(new_loaders().reading, listed, whole_page, values, order_by, True)
                yield f"{name} {values} {order_by}", ["own"], [await page_content(page)]
            for owner in listed.owners:
                loader = new_loaders().get(PagesLoader, listed, owner, whole_page, tuple(values.items()), order_by)
                pages = [await page_content(page) for page in await loader.load_many(keys[owner])]
                yield f"{name} by {owner} {values} {order_by}", keys[owner], pages
        for owner in listed.owners:
            reading = new_loaders().reading
            if not listed.orders:
                whole = [await whole_list(reading, listed, owner, key, {}, at_once=3) for key in keys[owner]]
                yield f"{name} by {owner} whole", keys[owner], whole


def _filters_and_orders(listed: PagedList, keys: dict[str, list[Any]]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yields (filter, order): none, each order, and each filter with each of its possible records or values.

    A filter by the value of a column reads the visible record only, so it is left out.
    """
    for order_by in (None, *listed.orders):
        yield {}, order_by
    for name, kind in listed.filters.items():
        if isinstance(kind, refers_to):
            for key in keys[TABLE_OF[kind.type_name]]:
                yield {name: global_id.encode(kind.type_name, key)}, None
        elif isinstance(kind, by_value):
            for value in (True, False) if kind.kind is bool else kind.kind:
                yield {name: value}, None
        elif isinstance(kind, flag | when):
            yield {name: True}, None
        elif isinstance(kind, one_of):
            for value in kind.column.type.python_type:
                yield {name: (value,)}, None
        elif kind.combine is not None:
            # A date of an aim, which the viewer may not see.
            for date in keys["dates"]:
                yield {name: date}, None


async def page_content(page: Page[Any]) -> Any:
    """Returns the nodes of a page with its counts and totals."""
    return [page.nodes, page.has_next_page, await page.count(), dict(await page.totals())]


def plain(value: Any, seen: dict[str, set[int]]) -> Any:
    """Returns a light row as lists and dictionaries; a reference to a record that is not in `seen` becomes None."""
    if isinstance(value, Enum) or value is None:
        return value
    if is_dataclass(value):
        if type(value).__name__.endswith("Reference"):
            return value.key  # Of a qualification, which every viewer of the provider sees.
        made = {field.name: getattr(value, field.name) for field in fields(value)}
        for name in made.keys() & REFERENCES.keys():
            made[name] = made[name] if made[name] in seen[REFERENCES[name]] else None
        return {name: plain(part, seen) for name, part in made.items()}
    if isinstance(value, dict):
        return {repr(name): plain(part, seen) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, seen) for part in value]
    return value


async def disagreements(crawler: ViewerCrawler, visibility: Visibility) -> list[str]:
    """Returns where the users, the files and the reads for a write differ from the oracle."""
    keys, found = keys_of(crawler.rows), []

    def same(name: str, got: Iterable[int], expected: Iterable[int]) -> None:
        if set(got) != set(expected):
            found.append(f"{name}: {sorted(set(got) ^ set(expected))[:9]}")

    context = crawler.context(visibility.me, visibility.role)
    loaded, reading = context.loaders, context.loaders.reading
    of_provider = {table: {row["id"] for row in visibility.of(table)} for table in ("user_account", "file")}
    uploaded = {row["id"] for row in crawler.rows["file"] if row["uploaded_at"] is not None}
    contacts = {int(id.partition("_")[2]) for id in visibility.contacts}
    expected_of = (visibility.users, contacts, of_provider["user_account"], of_provider["file"] & uploaded)
    for loader, expected in zip(COMPARED_WITH_ORACLE, expected_of, strict=True):
        kind = loader.keys_of
        answers = await loaded[loader].load_many(keys[kind])
        same(loader.__name__, [key for key, row in zip(keys[kind], answers, strict=True) if row is not None], expected)
    grants = await loaded[GrantsOfUserLoader].load_many(keys["user_account"])
    with_grants = [key for key, rows in zip(keys["user_account"], grants, strict=True) if rows]
    same("GrantsOfUserLoader", with_grants, contacts & {row["user_id"] for row in visibility.of("role_grant")})
    staff = {row["user_id"] for row in visibility.of("role_grant")}
    for loader, expected in ((RolesOfUserLoader, staff), (OpenWorkLoader, of_provider["user_account"])):
        answers = await loaded[loader].load_many(keys["user_account"])
        same(loader.__name__, [key for key, row in zip(keys["user_account"], answers, strict=True) if row], expected)
    same("read_stored", [key for key in keys["file"] if await read_stored(reading, key)], visibility.files)
    archived = {row["id"] for row in crawler.rows["user_account"] if row["archived_at"] is not None}
    for role in (None, *Role):
        held = {row["user_id"] for row in visibility.of("role_grant", role=role)} if role else visibility.users
        page = await read_page(reading, USERS, PageArguments(first=100), {"role": role})
        same(f"USERS {role}", [row.key for row in page.nodes], (visibility.users & held) - archived)
    await _reads_for_write(crawler.database, context.require_active_viewer(), visibility, keys, same)
    return found


async def _reads_for_write(
    database: Database, viewer: Any, visibility: Visibility, keys: dict[str, list[Any]], same: Any
) -> None:
    """Compares the reads for a write with the oracle."""
    uploaded = {row["id"] for row in visibility.rows["file"] if row["uploaded_at"] is not None}
    for entity in entities():
        type_ = entity.type_name()
        if type_ not in visibility.ids or type_ == "AuditEvent":
            continue
        table, expected = entity.__tablename__, {int(id.partition("_")[2]) for id in visibility.ids[type_]}
        statement = (await one_for_write(visibility.role, entity, False)).with_only_columns(entity.id)
        for key in keys[table]:
            rows = await database.rows(statement, {**scope.viewer_params(viewer), "key": key}, True)
            if entity.__name__ != "File" or key in uploaded:
                same(f"one {type_} for write", [row.id for row in rows], {key} & expected)
    async with database.writing() as session:
        for entity, expected in ((Learner, visibility.learners), (Employer, visibility.employers)):
            table = entity.__tablename__
            same(f"seen {table}", await user_repository.visible_keys(session, viewer, entity, keys[table]), expected)
        entries = await time_log_entry_repository.entries_for_write(session, viewer, keys["time_log_entry"])
        same("entries for write", entries, visibility.records["TimeLogEntry"])
        for key in keys["learner"]:
            aims = {row["id"] for row in visibility.of("aim", learner_id=key)}
            found = await aim_repository.visible_aims(session, viewer, key)
            same("seen aims", [aim.id for aim in found], visibility.aims & aims)

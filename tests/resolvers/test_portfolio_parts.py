"""Each mutation says which parts of whose portfolio it changed, to the subscribers of all processes."""

import asyncio
import json
from typing import Any

from db.models.registry import mapped_classes
from domain import clock
from domain import global_id as ids
from domain.enums import PortfolioPart
from queries.reports import Reports
from services.change_feed.changes import ALL_PARTS, Changes, payloads, read_payload
from services.change_feed.feed import Subscriber
from tests.support.factories import DAY
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

P = PortfolioPart


async def parts_of(scenario: EmptyPortfolio, who: str, mutation: str, **arguments: Any) -> tuple[set[P], Any]:
    """Runs a mutation about Ada; returns the parts that subscribers receive, and the changed record."""
    changes, ada = scenario.services.changes, ids.decode("Learner", scenario.ada)
    async with changes.listening(), changes.subscriber(scenario.user("master").provider_id) as subscriber:
        while not changes.is_listening():
            await asyncio.sleep(0.02)
        subscriber.take()
        record = await scenario.client(who).mutate(mutation, **arguments)
        async with asyncio.timeout(10):
            await subscriber.wait()
        found = subscriber.take()
    assert (set(found.learners), found.any_learner, found.everything) == ({ada}, False, False)
    return set(found.learners[ada]), record


async def test_the_parts_that_mutations_change(scenario: EmptyPortfolio) -> None:
    today, about = clock.today(), {"learnerId": scenario.ada, "aimId": scenario.aim}
    words = {"kind": "ACTION", "title": "Read", "description": "Notes", "targetDate": (today + DAY).isoformat()}
    assert (await parts_of(scenario, "assessor", "actionSet", input={**about, **words}))[0] == {P.ACTION}
    evidence = {
        "aimId": scenario.aim, "title": "Brakes", "description": "Bled", "fileId": await scenario.upload("learner"),
        "declareOwnWork": True, "password": PASSWORD,
    }  # fmt: skip
    parts, submitted = await parts_of(scenario, "learner", "evidenceSubmit", input=evidence)
    assert parts == {P.EVIDENCE}
    mapping = {"mappings": [{"criterionId": scenario.criteria[0], "signOff": True}], "assessmentMethods": ["PRODUCT"]}
    parts, _ = await parts_of(scenario, "assessor", "evidenceAssess", id=submitted["id"], input=mapping)
    assert parts == {P.EVIDENCE, P.UNIT, P.AIM}
    start = clock.london_time(today + DAY).isoformat(), clock.london_time(today + DAY, 10).isoformat()
    booked = {"learnerId": scenario.ada, "aimIds": [scenario.aim], "type": "GENERAL", "startsAt": start[0]}
    parts, _ = await parts_of(scenario, "assessor", "sessionBook", input={**booked, "endsAt": start[1]})
    assert parts == {P.SESSION}
    message = {"aimId": scenario.aim, "subject": "Hello", "body": "When?"}
    assert (await parts_of(scenario, "learner", "messageSend", input=message))[0] == {P.MESSAGE}


async def test_what_concerns_no_learner_notifies_nobody(scenario: EmptyPortfolio) -> None:
    """An upload, a new employer and the viewer's own settings: no stream of the provider reads anything again."""
    changes, provider_key = scenario.services.changes, scenario.user("master").provider_id
    async with changes.listening(), changes.subscriber(provider_key) as subscriber:
        while not changes.is_listening():
            await asyncio.sleep(0.02)
        subscriber.take()
        master, reports = scenario.client("master"), Reports()
        scenario.services.saved_queries = reports.names
        scenario.services.parse_report_variables = reports.parse_json
        await master.mutate("fileUploadCreate", input={"name": "a.txt", "contentType": "text/plain", "size": 1})
        employer = await master.mutate("employerCreate", input={"name": "Spokes"})
        await master.mutate("notificationSettingsUpdate", input={"digestHour": 8})
        chosen = {"operation": "site_comparison", "format": "CSV"}
        await master.mutate("bulkExportStart", **chosen)
        scheduled = await master.mutate("reportSchedule", input={**chosen, "every": "WEEK"})
        await master.mutate("reportScheduleEnd", id=scheduled["id"])
        await master.mutate("reportScheduleResume", id=scheduled["id"])
        # Notifications arrive in the order of the commits, so that this one comes after those of the mutations above.
        changes.notify_committed(provider_key, {ids.decode("Learner", scenario.ada) or 0}, [P.CV])
        async with asyncio.timeout(10):
            await subscriber.wait()
        found = subscriber.take()
        assert (set(found.learners), found.any_learner, found.everything) == (
            {ids.decode("Learner", scenario.ada)}, False, False,
        )  # fmt: skip
        # A new name of an employer is one that learners show.
        await master.mutate("employerUpdate", id=employer["id"], input={"name": "Hubs"})
        async with asyncio.timeout(10):
            await subscriber.wait()
        assert subscriber.take().any_learner


def test_a_notification_says_what_changed() -> None:
    aim, cv, all_parts = frozenset({P.AIM}), frozenset({P.CV}), ALL_PARTS
    for changes in (
        Changes({7: aim, 8: aim}), Changes({7: aim, 8: cv}, moved=True), Changes({}, any_learner=True),
        Changes({7: all_parts}, any_learner=True), Changes({}, everything=True),
    ):  # fmt: skip
        received = Changes({})
        for payload in payloads(3, changes):
            provider, part = read_payload(payload)
            assert provider == 3 and len(payload) < 8000
            received = received.joined(part)
        assert received == changes
    # To a process of the last version every number below zero is a learner that does not exist.
    (moved,) = payloads(3, Changes({7: cv}, moved=True))
    assert [number for number in json.loads(moved)[1] if number > 0] == [7]


def test_changes_that_come_together_are_joined() -> None:
    subscriber = Subscriber(1)
    subscriber.add(Changes({7: frozenset({P.CV})}))
    subscriber.add(Changes({7: frozenset({P.AIM}), 8: frozenset()}))
    # A process of the last version names no parts.
    assert subscriber.take() == Changes({7: frozenset({P.CV, P.AIM}), 8: ALL_PARTS})
    subscriber.add(Changes(dict.fromkeys(range(501), ALL_PARTS)))
    assert subscriber.take() == Changes({}, everything=True)
    assert subscriber.take() == Changes({})


def test_each_part_is_declared_by_a_table_and_each_table_about_a_learner_declares_one() -> None:
    # Files change with what uses them, history is what other parts were, and samples are quality assurance's own.
    # A deletion is a change of what is gone.
    besides = {"aim_history", "time_history", "sample", "sample_action", "sample_finding"}
    without = {"audit_event", "change_reason", "deleted_record", "file", *besides}
    about_learners = [entity for entity in mapped_classes() if "learner_id" in entity.__table__.columns]
    assert {entity.__tablename__ for entity in about_learners if entity.__part__ is None} == without
    assert {entity.__part__ for entity in mapped_classes()} - {None} == set(PortfolioPart) - {P.MESSAGE}

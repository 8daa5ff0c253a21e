"""Tasks of reviews and samples: each waits for who may do it now, and is gone once it is done."""

import datetime as dt

from sqlalchemy import delete, select, update

from db.models.aim import Aim
from db.models.review import Review, ReviewAnswer
from db.models.sample import Sample
from db.models.session import Session
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus, Role, SessionStatus
from tests.resolvers.test_task import set_status, subjects, tasks
from tests.support.factories import DAY
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.scenarios.reviewed_portfolio import issued, review_session, sign, started
from tests.support.scenarios.sampled_portfolio import begun, conclusion, planned, save_policy, signed_unit

EVERYBODY = ("learner", "assessor", "other_assessor", "iqa", "manager", "second", "overview", "basic", "master")


async def waiting(scenario: EmptyPortfolio, kind: str) -> set[str]:
    """Returns who has a task of the kind."""
    return {who for who in EVERYBODY if await subjects(scenario, who, kind)}


async def change_aim(scenario: EmptyPortfolio, **values: object) -> None:
    async with scenario.database.writing() as session:
        await session.execute(update(Aim).where(Aim.id == ids.decode("Aim", scenario.aim)).values(**values))


async def test_an_issued_review_waits_for_its_signatures_as_a_review_only(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    # Its session is about no aim, so that each assessor of Ada's sees it.
    assert await waiting(scenario, "SIGN_REVIEW") == {"learner", "assessor", "other_assessor", "manager", "second"}
    assert await waiting(scenario, "SIGN_DOCUMENT") == set() == await waiting(scenario, "ANSWER_REVIEW")
    [task] = await tasks(scenario, "learner", "SIGN_REVIEW")
    assert (task["title"], task["dueOn"]) == ("Sign progress review 1", None)
    assert task["subject"] == {"__typename": "Review", "id": review["id"]}
    query = "query($id: ReviewFilter) { reviews(filter: $id) { nodes { id } } }"
    for role, who in (("LEARNER", "learner"), ("ASSESSOR", "assessor"), ("EMPLOYER_MANAGER", "manager")):
        found = await scenario.client(who).data(query, id={"awaitingRole": role})
        assert [each["id"] for each in found["reviews"]["nodes"]] == await subjects(scenario, who, "SIGN_REVIEW")
    await sign(scenario, "manager", review)
    assert await waiting(scenario, "SIGN_REVIEW") == {"learner", "assessor", "other_assessor"}
    await set_status(scenario, AimStatus.SUSPENDED, scenario.aim, scenario.other_aim)
    assert await waiting(scenario, "SIGN_REVIEW") == set()
    await set_status(scenario, AimStatus.IN_TRAINING, scenario.aim, scenario.other_aim)
    await scenario.client("assessor").mutate("reviewReopen", id=review["id"], reason="A wrong day.")
    assert await waiting(scenario, "SIGN_REVIEW") == set() == await waiting(scenario, "SIGN_DOCUMENT")


async def test_nobody_is_asked_to_sign_a_review_in_a_second_role(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    await sign(scenario, "assessor", review)
    user, _, _ = scenario.people["assessor"]
    scenario.people["assessor"] = (user, Role.EMPLOYER_MANAGER, None)
    assert await subjects(scenario, "assessor", "SIGN_REVIEW") == []


async def test_a_draft_waits_for_one_answer_of_each_side(scenario: EmptyPortfolio) -> None:
    review = await started(scenario, await review_session(scenario, about=(scenario.aim,)))
    everyone = {"learner", "assessor", "manager", "second", "overview"}
    assert await waiting(scenario, "ANSWER_REVIEW") == everyone
    [task] = await tasks(scenario, "manager", "ANSWER_REVIEW")
    assert (task["title"], task["subject"]["id"]) == ("Write your part of progress review 1", review)
    said = {"progressSinceLast": "Good."}
    for who, left in (("overview", {"learner", "assessor"}), ("learner", {"assessor"}), ("assessor", set())):
        await scenario.client(who).mutate("reviewAnswer", id=review, input=said)
        assert await waiting(scenario, "ANSWER_REVIEW") == left
    # Who answered in another role is not asked, since they would be refused.
    async with scenario.database.writing() as session:
        await session.execute(update(ReviewAnswer).values(answered_by_id=scenario.user("learner").id))
        await session.execute(update(ReviewAnswer).where(ReviewAnswer.role == Role.LEARNER).values(role=Role.IQA))
    assert await waiting(scenario, "ANSWER_REVIEW") == set()


async def test_a_draft_waits_since_it_was_started_or_reopened_but_not_before_its_session(
    scenario: EmptyPortfolio,
) -> None:
    before = clock.now()
    review = await issued(scenario)
    await scenario.client("assessor").mutate("reviewReopen", id=review["id"], reason="A wrong day.")
    async with scenario.database.writing() as session:
        await session.execute(delete(ReviewAnswer))
    [task] = await tasks(scenario, "manager", "ANSWER_REVIEW")
    # The session was days before; an e-mail about what is new reaches who is to answer.
    assert dt.datetime.fromisoformat(task["waitingSince"]) >= before
    for started_at in (before - 100 * DAY, None):
        async with scenario.database.writing() as session:
            await session.execute(update(Review).values(started_at=started_at))
            starts_at = (await session.scalars(select(Session.starts_at))).one()
        [task] = await tasks(scenario, "manager", "ANSWER_REVIEW")
        assert dt.datetime.fromisoformat(task["waitingSince"]) == starts_at < before


async def test_a_draft_waits_only_once_its_session_has_begun_and_if_it_can_be_issued(scenario: EmptyPortfolio) -> None:
    session_id = await review_session(scenario, -1, status=SessionStatus.PLANNED)
    await started(scenario, session_id)
    assert await waiting(scenario, "ANSWER_REVIEW") == set()
    for status, found in ((SessionStatus.PLANNED, True), (SessionStatus.NOT_ATTENDED, False)):
        async with scenario.database.writing() as session:
            await session.execute(update(Session).values(starts_at=clock.now() - DAY, status=status))
        assert bool(await waiting(scenario, "ANSWER_REVIEW")) is found


async def test_a_unit_with_evidence_waits_for_its_iqa_until_the_sample_is_concluded(scenario: EmptyPortfolio) -> None:
    await save_policy(scenario)
    await planned(scenario)
    async with scenario.database.writing() as session:
        await session.execute(update(Sample).values(planned_for=clock.today() - DAY))
    # There is nothing to look at yet.
    assert await waiting(scenario, "SAMPLE_UNIT") == set()
    await signed_unit(scenario)
    assert await waiting(scenario, "SAMPLE_UNIT") == {"iqa"}
    [task] = await tasks(scenario, "iqa", "SAMPLE_UNIT")
    assert (task["title"], task["overdueDays"]) == ("Sample the unit: Unit 1", 1)
    sample = task["subject"]["id"]
    await scenario.client("iqa").mutate("sampleBegin", id=sample)
    assert await subjects(scenario, "iqa", "SAMPLE_UNIT") == [sample]
    await set_status(scenario, AimStatus.WITHDRAWN, scenario.aim)
    assert await waiting(scenario, "SAMPLE_UNIT") == set()
    await set_status(scenario, AimStatus.IN_TRAINING, scenario.aim)
    await scenario.client("iqa").mutate("sampleConclude", id=sample, input=conclusion("ACCEPTED"))
    assert await waiting(scenario, "SAMPLE_UNIT") == set()


async def test_a_sample_waits_from_four_weeks_before_its_day(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    await begun(scenario)
    for days, found in ((29, set()), (28, {"iqa"})):
        async with scenario.database.writing() as session:
            await session.execute(update(Sample).values(planned_for=clock.today() + dt.timedelta(days=days)))
        assert await waiting(scenario, "SAMPLE_UNIT") == found


async def test_without_an_iqa_a_master_admin_samples_but_not_what_they_assessed(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    sample = await begun(scenario)
    await change_aim(scenario, iqa_id=None)
    assert await waiting(scenario, "SAMPLE_UNIT") == {"master"}
    user, _, _ = scenario.people["assessor"]
    scenario.people["both"] = (user, Role.MASTER_ADMIN, None)
    assert await subjects(scenario, "both", "SAMPLE_UNIT") == []
    # Also after a hand-over, since they signed the unit.
    await change_aim(scenario, assessor_id=scenario.user("other_assessor").id)
    assert await subjects(scenario, "both", "SAMPLE_UNIT") == []
    assert await subjects(scenario, "master", "SAMPLE_UNIT") == [sample]


async def test_an_action_of_a_sample_waits_for_the_assessor_of_its_aim(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    sample = await begun(scenario)
    input = conclusion("ACTION_REQUIRED", "Add one.", "Ask again.")
    first, second = (await scenario.client("iqa").mutate("sampleConclude", id=sample, input=input))["actions"]
    assert await waiting(scenario, "ANSWER_SAMPLE") == {"assessor"}
    found = await tasks(scenario, "assessor", "ANSWER_SAMPLE")
    assert {task["subject"]["id"] for task in found} == {first["id"], second["id"]}
    assert found[0]["title"] == "Answer an action of the sample: Unit 1"
    assert found[0]["subject"]["__typename"] == "SampleAction" and found[0]["waitingSince"] is not None
    await scenario.client("assessor").mutate("sampleActionAnswer", id=first["id"], answer="Added.")
    await change_aim(scenario, assessor_id=scenario.user("other_assessor").id)
    assert await subjects(scenario, "other_assessor", "ANSWER_SAMPLE") == [second["id"]]
    await change_aim(scenario, assessor_id=None)
    assert await waiting(scenario, "ANSWER_SAMPLE") == {"master"}
    await scenario.client("iqa").mutate("sampleActionClose", id=second["id"])
    assert await waiting(scenario, "ANSWER_SAMPLE") == set()

"""The demo shows reviews and samples in every state, as mutations would have left them."""

from sqlalchemy import select

from db.models.sample import Sample
from domain import clock
from domain.enums import Role, SampleOutcome, SampleStatus, SessionStatus, SessionType, SignatureRequestStatus
from repositories.sample import snapshot
from tests.services.demo.demo_data import DemoData


async def test_reviews_are_in_every_state(data: DemoData):
    requests = {row.id: row for row in data["signature_request"]}
    current = {row.review_id: requests[row.request_id] for row in data["review_document"] if row.replaced_at is None}
    reviews = data["review"]
    statuses = {current[row.id].status if row.id in current else None for row in reviews}
    assert statuses == {None, SignatureRequestStatus.PENDING, SignatureRequestStatus.COMPLETE}
    assert any(row.replaced_at for row in data["review_document"])
    sessions = data.by_id("session")
    for review in reviews:
        session = sessions[review.session_id]
        assert session.type is SessionType.FORMAL_REVIEW and review.learner_id == session.learner_id
        issued = review.id in current
        assert issued is (review.figures is not None) is (review.issued_at is not None)
        assert session.status is (SessionStatus.ATTENDED if issued else SessionStatus.PLANNED)
        assert review.covers_from <= clock.day_of(session.starts_at)
    assert {row.role for row in data["review_answer"]} == {Role.ASSESSOR, Role.LEARNER, Role.EMPLOYER_MANAGER}
    own = [row.id for row in data.of("review", data.learner())]
    assert {current[key].status if key in current else None for key in own} >= {None, SignatureRequestStatus.COMPLETE}
    assert all(row.answered_at <= clock.now() for row in data["review_answer"])


async def test_samples_are_in_every_state(data: DemoData):
    samples = data["sample"]
    assert {row.status for row in samples} == set(SampleStatus)
    assert {row.outcome for row in samples} == {None, *SampleOutcome}
    assert {row.provider_id for row in data["sampling_policy"]} == {row.id for row in data["provider"]}
    answers = [(row.answer is None, row.closed_at is None) for row in data["sample_action"]]
    assert sorted(answers) == [(False, False), (False, True), (True, True)]
    signed = {(row.aim_id, row.unit_id) for row in data["unit_signature"] if row.withdrawn_at is None}
    for sample in samples:
        rejected = sample.outcome is SampleOutcome.REJECTED
        assert not (rejected and (sample.aim_id, sample.unit_id) in signed)


async def test_a_sample_that_was_begun_can_be_concluded(data: DemoData):
    async with data.database.writing() as session:
        begun = list(await session.scalars(select(Sample).where(Sample.snapshot_sha256.is_not(None))))
        for sample in begun:
            assert await snapshot(session, sample.aim_id, sample.unit_id) == sample.snapshot_sha256
    assert len(begun) == 4

"""The demo shows reviews, samples and outcomes in every state, as mutations would have left them."""

from sqlalchemy import select

from db.models.sample import Sample
from domain import clock
from domain.enums import (
    AimOutcome,
    AimStatus,
    Role,
    SampleOutcome,
    SampleStatus,
    SessionStatus,
    SessionType,
    SignatureRequestStatus,
)
from domain.progress import ENDED
from repositories.sample import snapshot
from resolvers.guest_invitation import LIFETIME
from resolvers.sampling.conclude import TAKEN_BACK
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


async def test_what_was_signed_is_withdrawn_in_every_way(data: DemoData):
    """By reopening a review, cancelling a document and rejecting a sample: each signature is kept, with the reason."""
    replaced = {row.request_id: row.replaced_at for row in data["review_document"] if row.replaced_at}
    requests, slots = data.by_id("signature_request"), data["signature_slot"]
    withdrawn = [slot for slot in slots if slot.withdrawn_at]
    assert all(slot.signed_at < slot.withdrawn_at and slot.withdrawn_reason for slot in withdrawn)
    assert {slot.request_id in replaced for slot in withdrawn} == {True, False}
    for slot in withdrawn:
        assert requests[slot.request_id].status is SignatureRequestStatus.CANCELLED
        assert slot.withdrawn_at == replaced.get(slot.request_id, slot.withdrawn_at)
    rejected = {(row.aim_id, row.unit_id): row for row in data["sample"] if row.outcome is SampleOutcome.REJECTED}
    taken_back = [row for row in data["unit_signature"] if row.withdrawn_reason == TAKEN_BACK]
    assert [(row.aim_id, row.unit_id) for row in taken_back] == list(rejected)
    assert all(row.withdrawn_at == rejected[row.aim_id, row.unit_id].concluded_at for row in taken_back)


async def test_reviews_are_signed_by_one_some_and_all(data: DemoData):
    slots = data["signature_slot"]
    documents = [row.request_id for row in data["review_document"] if row.replaced_at is None]
    signed = set()
    for document in documents:
        own = [slot.signed_at is not None for slot in slots if slot.request_id == document]
        signed.add((sum(own), len(own)))
    assert {number == most for number, most in signed} == {True, False}
    assert any(0 < number < most for number, most in signed)


async def test_guests_were_invited_in_every_state(data: DemoData):
    """Open, used and expired; the link is known to nobody."""
    slots, now = data.by_id("signature_slot"), clock.now()
    states = set()
    for row in data["guest_invitation"]:
        slot = slots[row.slot_id]
        assert (slot.guest_email, slot.document_sha256 or row.document_sha256) == (row.email, row.document_sha256)
        assert row.expires_at - row.invited_at == LIFETIME and (row.ended_at is None) is (row.opened_at is None)
        assert row.ended_at == slot.signed_at
        states.add("used" if row.ended_at else "expired" if row.expires_at < now else "open")
    assert states == {"open", "used", "expired"}
    assert len(data["guest_invitation"]) == sum(slot.guest_email is not None for slot in slots.values())


async def test_a_sample_that_was_begun_can_be_concluded(data: DemoData):
    async with data.database.writing() as session:
        begun = list(await session.scalars(select(Sample).where(Sample.snapshot_sha256.is_not(None))))
        for sample in begun:
            assert await snapshot(session, sample.aim_id, sample.unit_id) == sample.snapshot_sha256
    assert len(begun) == 4


async def test_an_aim_that_has_ended_has_its_outcome(data: DemoData):
    assert {(row.status, row.outcome) for row in data["aim"] if row.status in ENDED} == {
        (AimStatus.COMPLETED, AimOutcome.ACHIEVED),
        (AimStatus.WITHDRAWN, AimOutcome.NOT_ACHIEVED),
    }
    assert all((row.outcome is not None) is (row.status in ENDED) for row in data["aim"])
    reasons = {row.reason for row in data["aim_status_change"] if row.status is AimStatus.WITHDRAWN}
    assert reasons and all(reasons)
    achieved = [row for row in data["aim"] if row.outcome is AimOutcome.ACHIEVED]
    in_time = [row for row in achieved if row.actual_end_date <= row.planned_end_date]
    assert 0.5 < len(in_time) / len(achieved) <= 1

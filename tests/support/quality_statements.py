"""Reviews and samples for `tests/support/statement_counter.py`, whose meter runs each mutation."""

import datetime as dt
from typing import Any

from domain import clock
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import learner_id, user_id


async def reviews_and_samples(meter: Any, clients: Clients) -> None:
    """Runs the mutations of progress reviews and of sampling."""
    await _reviews(meter, clients)
    await _sampling(meter, clients)


async def _reviews(meter: Any, clients: Clients) -> None:
    """Runs the mutations of progress reviews."""
    assessor, learner = await clients("assessor"), await clients("learner")
    starts = clock.now() - dt.timedelta(days=2, hours=5)
    booking = {
        "learnerId": await learner_id(assessor, "Maya Thornton"), "type": "FORMAL_REVIEW",
        "startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    session = (await assessor.mutate("sessionBook", input=booking))["id"]
    await assessor.mutate("sessionComplete", id=session, input={"attended": True})
    review = await meter(assessor, "reviewStart", sessionId=session)
    await meter(assessor, "reviewAnswer", id=review, input={"progressSinceLast": "Much.", "nextSteps": "Brakes."})
    await meter(assessor, "reviewIssue", id=review)
    digest = (await learner.read("Review", review))["document"]["sha256"]
    await meter(learner, "reviewSign", id=review, documentSha256=digest, password=PASSWORD)
    await meter(assessor, "reviewReopen", id=review, reason="A date was wrong.")


async def _sampling(meter: Any, clients: Clients) -> None:
    """Runs the mutations of sampling."""
    iqa, assessor, admin = await clients("iqa"), await clients("assessor"), await clients("master.admin")
    await meter(
        admin, "samplingPolicySave", input={"aimsPercent": 20, "unitsPercent": 20, "firstUnitsOfNewAssessor": 3}
    )
    await meter(iqa, "samplingPlanMake", assessorId=await user_id(iqa, "Priya Raman"), seed=7)
    begun = await iqa.data("{ samples(filter: {statuses: [IN_PROGRESS]}) { nodes { id } } }")
    sample = begun["samples"]["nodes"][0]["id"]
    await meter(iqa, "sampleBegin", id=sample)
    finding = {"valid": True, "authentic": True, "current": True, "sufficient": False, "comment": "Too little."}
    concluded = {"outcome": "REJECTED", "findings": [finding], "actions": ["Ask for another photo."]}
    await meter(iqa, "sampleConclude", id=sample, input=concluded)
    (action,) = (await assessor.read("Sample", sample))["actions"]
    await meter(assessor, "sampleActionAnswer", id=action["id"], answer="I asked.")
    await meter(iqa, "sampleActionClose", id=action["id"])

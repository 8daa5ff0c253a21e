"""The data of the document of a progress review, read as the assessor sees it who issues it."""

import asyncio

from domain.enums import AimStatus
from loaders.action import ActionRow
from loaders.aim import AimsOfLearnerLoader
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.provider import read_provider_name
from loaders.review import ActionsOfReviewedSessionLoader, AnswersOfReviewLoader, ReviewAnswerRow, ReviewRow
from loaders.review_figures import current_figures
from loaders.session import SessionLoader
from resolvers.exports.progress_review import ProgressReview, ReviewAction, ReviewWords


async def progress_review(loaders: Loaders, review: ReviewRow) -> ProgressReview:
    """Returns the data of the document of a draft, with the figures of this moment."""
    learner, session, aims, figures, answers, actions = await asyncio.gather(
        loaders[LearnerLoader].load(review.learner_key),
        loaders[SessionLoader].load(review.session_key),
        loaders[AimsOfLearnerLoader].load(review.learner_key),
        current_figures(review.learner_key, loaders),
        loaders[AnswersOfReviewLoader].load(review.key),
        loaders[ActionsOfReviewedSessionLoader].load(review.session_key),
    )
    previous: list[ActionRow] = []
    if review.previous_session_key is not None:
        previous = await loaders[ActionsOfReviewedSessionLoader].load(review.previous_session_key)
    return ProgressReview(
        number=review.number,
        provider=await read_provider_name(loaders.reading),
        learner=learner.name,
        employer=learner.employer.name if learner.employer else None,
        assessor=session.assessor.name,
        aims=[aim.title for aim in aims if aim.status is not AimStatus.WITHDRAWN],
        held_on=review.held_on,
        covers_from=review.covers_from,
        attendance=review.employer_attendance,
        figures=figures,
        previous_actions=[_action(action) for action in previous],
        actions=[_action(action) for action in actions],
        answers=[_words(answer) for answer in answers],
        made_at=loaders.reading.now,
    )


def _action(action: ActionRow) -> ReviewAction:
    return ReviewAction(action.title, action.target_date, action.status)


def _words(answer: ReviewAnswerRow) -> ReviewWords:
    return ReviewWords(
        answer.role, answer.answered_by.name, answer.progress_since_last, answer.concerns, answer.changes_to_plan,
        answer.next_steps,
    )  # fmt: skip

"""The mutation of messages: one person's words to another, as e-mail."""

from typing import Annotated

import strawberry

from resolvers import message as message_
from schema.field_builders import Info, attribute
from schema.payload import UserError, answer, errors_field, plain


@strawberry.input(description="A message; it carries no files.")
class MessageSendInput:
    aim_id: strawberry.ID = attribute(
        "The component whose assessor is written to; by an assessor or admin, the learner's."
    )
    subject: str = attribute("What it is about, in a line of 200 characters at most.")
    body: str = attribute("The message, in plain text.")


@strawberry.type(description="Whether the message is on its way.")
class MessageSendPayload:
    errors: list[UserError] = errors_field()


@strawberry.type
class MessageMutations:
    @strawberry.mutation(
        description="Sent as an e-mail; no attachments. A learner or employer writes to the aim's assessor, an assessor "
        "or admin to its learner."
    )
    async def message_send(
        self, info: Info, input: Annotated[MessageSendInput, strawberry.argument(description="The message.")]
    ) -> MessageSendPayload:
        return await answer(info, MessageSendPayload, message_.send(info.context, **plain(input)))

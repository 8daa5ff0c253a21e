"""The mutation of messages: send one as an e-mail."""

import strawberry

from resolvers import message as messages
from schema.field_builders import attribute
from schema.payload import mutation, payload, required


@strawberry.input(description="A message, without attachments.")
class MessageSendInput:
    aim_id: strawberry.ID = attribute(
        "The aim whose assessor receives the message; from an assessor or admin, its learner receives it."
    )
    subject: str = attribute("The subject: one line, up to 200 characters.")
    body: str = attribute("The message, as plain text.")


@payload("The result of sending a message.")
class MessageSendPayload:
    pass


@strawberry.type
class MessageMutations:
    message_send = mutation(
        MessageSendPayload,
        messages.send,
        "Sends a message as an e-mail: from a learner or employer to the aim's assessor, from an assessor or admin to "
        "its learner.",
        input=required(MessageSendInput, "The message."),
    )

"""The mutation of messages: one person's words to another, as e-mail."""

import strawberry

from resolvers import message as messages
from schema.field_builders import attribute
from schema.payload import mutation, payload, required


@strawberry.input(description="A message; it carries no files.")
class MessageSendInput:
    aim_id: strawberry.ID = attribute(
        "The component whose assessor is written to; by an assessor or admin, the learner's."
    )
    subject: str = attribute("What it is about, in a line of 200 characters at most.")
    body: str = attribute("The message, in plain text.")


@payload("Whether the message was accepted for sending.")
class MessageSendPayload:
    pass


@strawberry.type
class MessageMutations:
    message_send = mutation(
        MessageSendPayload,
        messages.send,
        "Sent as an e-mail; no attachments. A learner or employer writes to the aim's assessor, an assessor or admin to "
        "its learner.",
        input=required(MessageSendInput, "The message."),
    )

"""Resources: material that an assessor gives a learner in one aim."""

from loaders.resource import ResourceRow
from schema.field_builders import attribute
from schema.relay import Node, node
from schema.types.file import File


@node(ResourceRow, "A file that goes with an aim: a resource, or a file from the course.")
class Resource(Node):
    title: str = attribute("What it is called.")
    file: File = attribute("The file.")

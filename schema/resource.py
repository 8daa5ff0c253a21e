"""Resources: material that an assessor gives a learner in one aim."""

from loaders.resource import ResourceRow
from schema.fields import attribute
from schema.file import File
from schema.node import Node, node


@node(ResourceRow, "A file that goes with an aim: a resource, or a file from the course.")
class Resource(Node):
    title: str = attribute("What it is called.")
    file: File = attribute("The file.")

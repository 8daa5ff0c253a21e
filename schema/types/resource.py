"""Resources: the learning material and additional files of an aim."""

from loaders.resource import ResourceRow
from schema.field_builders import attribute
from schema.relay import Node, node
from schema.types.file import File
from schema.types.viewer_action import ViewerAction, viewer_actions


@node(ResourceRow, "A file that the assessor adds to an aim: learning material, or a file from the course.")
class Resource(Node):
    title: str = attribute("The title of the resource.")
    file: File = attribute("The file.")
    viewer_actions: list[ViewerAction] = viewer_actions("Resource")

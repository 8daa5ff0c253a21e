"""Every mapped class and table, found by importing all modules of this package."""

from db.models.base import Base
from domain.submodules import import_submodules

import_submodules("db.models")

metadata = Base.metadata


def mapped_classes() -> list[type[Base]]:
    """Every mapped class, each after those that its table refers to."""
    by_table = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    return [by_table[table.name] for table in metadata.sorted_tables]


def entities() -> list[type[Base]]:
    """Every mapped class that declares itself an entity, in the order of their names."""
    return sorted((each for each in mapped_classes() if each.__entity__), key=lambda entity: entity.__name__)

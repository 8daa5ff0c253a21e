"""Collects the fields of Query and Mutation from the modules of a package, so that a new entity needs no list entry."""

import strawberry

from domain.submodules import import_submodules


def gather(name: str, package: str, description: str, *more: type) -> type:
    """Returns the root type `name`, with the fields of all classes in the package whose name ends with the plural.

    That is "Queries" for Query and "Mutations" for Mutation. `more` are further classes with fields.
    """
    ending = {"Query": "Queries", "Mutation": "Mutations"}[name]
    declared = [
        value
        for module in import_submodules(package)
        for value in vars(module).values()
        if isinstance(value, type) and value.__name__.endswith(ending) and value.__module__ == module.__name__
    ]
    return strawberry.type(type(name, (*more, *declared), {}), description=description)

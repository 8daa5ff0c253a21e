"""Root types put together from what each module of a package declares, so that a new entity needs no entry in a list."""

import strawberry

from domain.discovery import import_submodules


def gather(name: str, package: str, description: str, *more: type) -> type:
    """The root type `name`: the fields of every class of the package whose name ends with "Queries", "Mutations", …

    Which ending is meant follows from the root's name. `more` are further classes of such fields.
    """
    ending = {"Query": "Queries", "Mutation": "Mutations"}[name]
    declared = [
        value
        for module in import_submodules(package)
        for value in vars(module).values()
        if isinstance(value, type) and value.__name__.endswith(ending) and value.__module__ == module.__name__
    ]
    return strawberry.type(type(name, (*more, *declared), {}), description=description)

"""`operations` adds, lists and retires the trusted documents of clients, from the manifests that client tools make."""

import argparse
import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from graphql import print_ast
from sqlalchemy.exc import IntegrityError

from commands.database_session import fail, with_database
from commands.manifest import ManifestEntry, ManifestUnreadable, read_manifest
from db.database import Database
from domain import clock
from domain.text import number_of
from schema.root import make_schema
from services.settings import Settings, SettingsError
from services.trusted_documents.store import (
    IdTaken,
    NewDocument,
    add_documents,
    client_versions,
    documents_of_clients,
    retire_documents,
)
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import OperationRejected
from transport.graphql.persisted_documents import PersistedDocuments
from transport.limits import Limits

MAX_NAME = 100
QUERIES = Path(__file__).parents[1] / "queries"


def run_add(settings: Settings, arguments: argparse.Namespace) -> int:
    """Adds the documents of the manifests for one version of a client: all of them, or none and every problem."""
    for name, value in (("--client", arguments.client), ("--client-version", arguments.client_version)):
        if not 0 < len(value) <= MAX_NAME or not value.isprintable():
            return fail(f"{name}: must have 1 to {MAX_NAME} characters")
    try:
        entries = [entry for path in arguments.manifests for entry in read_manifest(path)]
    except ManifestUnreadable as error:
        return fail(str(error))
    documents, problems = _checked(entries, _document_cache(settings))
    if problems:
        return fail("\n".join([*problems, "Nothing was added."]))

    async def work(database: Database) -> int:
        try:
            async with database.writing() as session:
                added = await add_documents(session, arguments.client, arguments.client_version, documents, clock.now())
        except IdTaken as error:
            return fail(f"{error}\nNothing was added.")
        except IntegrityError:
            return fail("Another `operations add` ran at the same time. Nothing was added: run it again.")
        present = len(documents) - added
        print(f"{arguments.client} {arguments.client_version}: {added} added, {present} already there.")
        return 0

    return with_database(settings, work, migrated=True)


def run_list(settings: Settings, _: argparse.Namespace) -> int:
    """Prints a line for each version of each client; then each document that the schema of this version rejects.

    The exit status is 1 if there is such a document.
    """
    cache = _document_cache(settings)

    async def work(database: Database) -> int:
        async with database.snapshot() as session:
            for version in await client_versions(session):
                day = version.last_used_on
                used = f"used {number_of(version.uses, 'time')}, last on {day}" if day else "not used"
                documents = number_of(version.documents, "document")
                print(f"{version.client_name} {version.client_version}: {documents}, {used}")
            stored = await documents_of_clients(session)
        rejected: dict[str, str | None] = {}
        for each in stored:
            if each.text not in rejected:
                rejected[each.text] = _problem(each.text, cache)
            if problem := rejected[each.text]:
                fail(f"{each.client_name} {each.client_version}, {each.document_id}: {problem}")
        return int(any(rejected.values()))

    return with_database(settings, work, migrated=True)


def run_retire(settings: Settings, arguments: argparse.Namespace) -> int:
    """Retires the documents of a client, of one of its versions, or those that nobody has used for some days."""
    if arguments.client is None and arguments.unused_days is None:
        return fail("Name a client with --client, or the days without a use with --unused-days.")
    if arguments.client is None and arguments.client_version is not None:
        return fail("--client-version: name its client with --client")
    since = None if arguments.unused_days is None else clock.today() - dt.timedelta(days=arguments.unused_days)

    async def work(database: Database) -> int:
        async with database.writing() as session:
            number = await retire_documents(session, arguments.client, arguments.client_version, since)
        print(f"{number} retired. Processes refuse them within seconds.")
        return 0

    return with_database(settings, work, migrated=True)


def _document_cache(settings: Settings) -> DocumentCache:
    try:
        limits = Limits.read(settings.limits)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    return DocumentCache(make_schema(settings.executor), limits)


def _checked(entries: Iterable[ManifestEntry], cache: DocumentCache) -> tuple[list[NewDocument], list[str]]:
    """Returns the documents by their ids, each printed, and what is wrong with the others."""
    saved = PersistedDocuments.read(QUERIES)
    documents: dict[str, NewDocument] = {}
    problems = []
    for entry in entries:
        if problem := _problem(entry.text, cache):
            problems.append(f"{entry.place}: {problem}")
            continue
        text = _printed(entry.text, cache)
        known = saved.text(entry.document_id)
        if known is not None and _printed(known, cache) != text:
            problems.append(f"{entry.place}: this id names a saved operation of Waymark")
        elif (other := documents.get(entry.document_id)) is not None and other.text != text:
            problems.append(f"{entry.place}: this id names another document, too")
        else:
            documents[entry.document_id] = NewDocument(entry.document_id, text)
    return list(documents.values()), problems


def _problem(text: str, cache: DocumentCache) -> str | None:
    """Returns why the server would reject a document; None if it would not."""
    try:
        cache.prepare(text)
    except OperationRejected as rejection:
        return " ".join(each["message"] for each in rejection.errors)
    return None


def _printed(text: str, cache: DocumentCache) -> str:
    operations = cache.prepare(text).operations
    return print_ast(next(iter(operations.values())).document)

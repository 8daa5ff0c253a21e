"""Reads the manifests that client tools make: graphql-codegen's and Relay's, Apollo's, and folders of documents.

A manifest names each document by an id, which the requests of the client have in place of the text.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transport.graphql.request import identity

MAX_BYTES = 50_000_000
MAX_ID = 200
_APOLLO_FORMAT = "apollo-persisted-query-manifest"
_DOCUMENTS = (".graphql", ".gql")
_FORMATS = "an object of texts by hash (graphql-codegen, Relay), or Apollo's manifest"


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A document as a manifest has it. `place` is for messages: the file, and what is in it."""

    place: str
    document_id: str
    text: str


class ManifestUnreadable(Exception):
    """A file that is no manifest; the message names it and says why."""


def read_manifest(path: Path) -> list[ManifestEntry]:
    """Returns the documents of a manifest, of a document or of all of these in a folder. Raises ManifestUnreadable.

    A document in a file of its own has the SHA-256 of the file's text as its id. Other JSON files in a folder are
    left out.
    """
    if not path.is_dir():
        return list(_read_file(path))
    files = sorted(each for each in path.rglob("*") if each.suffix in (".json", *_DOCUMENTS) and each.is_file())
    entries: list[ManifestEntry] = []
    for file in files:
        try:
            entries += _read_file(file)
        except _OtherJson:
            continue
    if not entries:
        raise ManifestUnreadable(f"{path}: the folder has no manifest and no .graphql file")
    return entries


class _OtherJson(ManifestUnreadable):
    pass


def _read_file(path: Path) -> Iterator[ManifestEntry]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ManifestUnreadable(f"{path}: the file must have at most {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestUnreadable(f"{path}: the file cannot be read as UTF-8 ({type(error).__name__})") from None
    if path.suffix in _DOCUMENTS:
        return iter([ManifestEntry(str(path), hashlib.sha256(text.encode()).hexdigest(), text)])
    try:
        value = json.loads(text)
    except ValueError:
        raise ManifestUnreadable(f"{path}: the file must be JSON: {_FORMATS}") from None
    return _entries(path, value)


def _entries(path: Path, value: Any) -> Iterator[ManifestEntry]:
    if isinstance(value, dict) and value.get("format") == _APOLLO_FORMAT:
        if value.get("version") != 1 or not isinstance(value.get("operations"), list):
            raise ManifestUnreadable(f"{path}: Apollo's manifest must have version 1 and a list of operations")
        pairs = [_apollo_pair(path, number, each) for number, each in enumerate(value["operations"], 1)]
    elif isinstance(value, dict) and value and all(isinstance(each, str) for each in value.values()):
        pairs = list(value.items())
    else:
        raise _OtherJson(f"{path}: the file is no manifest: {_FORMATS}")
    for document_id, text in pairs:
        if not 0 < len(document_id) <= MAX_ID or not document_id.isprintable() or " " in document_id:
            raise ManifestUnreadable(f"{path}: each id must have 1 to {MAX_ID} characters and no space")
        yield ManifestEntry(f"{path}, {document_id}", identity(document_id), text)


def _apollo_pair(path: Path, number: int, value: Any) -> tuple[str, str]:
    found = (value.get("id"), value.get("body")) if isinstance(value, dict) else (None, None)
    if not all(isinstance(each, str) for each in found):
        raise ManifestUnreadable(f"{path}: operation {number} must have the texts id and body")
    return found  # type: ignore[return-value]

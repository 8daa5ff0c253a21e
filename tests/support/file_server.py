"""The file endpoints on a real server, with a file service in memory and a store in a folder."""

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import uvicorn
from starlette.applications import Starlette

from auth.signed_urls import UPLOAD, SignedUrls
from domain import clock
from services.storage.file_store import FileStore, StoredFile, open_store
from services.storage.transfers import ExpectedUpload, GeneratedExport, StoredDownload
from transport.files.file_endpoints import routes
from transport.files.service import Claims

SIGNED_URLS = SignedUrls(bytes(range(32)))


class MemoryFileService:
    """A file service with its records in memory: the first upload of a file stays."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.parts: dict[int, list[StoredFile]] = {}
        self.announced: dict[int, ExpectedUpload] = {}
        self.records: dict[int, tuple[StoredFile, str]] = {}
        self.failure: Exception | None = None

    async def expected_upload(self, claims: Claims) -> ExpectedUpload | None:
        return self.announced.get(claims["file"])

    async def record_upload(self, claims: Claims, stored: StoredFile, content_type: str) -> StoredFile:
        if self.failure is not None:
            raise self.failure
        recorded = self.records.setdefault(claims["file"], (stored, content_type))[0]
        await self.drop_parts(claims)
        return recorded

    async def upload_parts(self, claims: Claims) -> list[StoredFile] | None:
        return None if claims["file"] in self.records else list(self.parts.get(claims["file"], []))

    async def record_part(self, claims: Claims, starts_at: int, stored: StoredFile) -> bool:
        parts = self.parts.setdefault(claims["file"], [])
        if claims["file"] in self.records or sum(part.size for part in parts) != starts_at:
            return False
        parts.append(stored)
        return True

    async def drop_parts(self, claims: Claims) -> None:
        for part in self.parts.pop(claims["file"], []):
            await self.store.delete(part.storage_key)

    async def stored_download(self, claims: Claims) -> StoredDownload | None:
        if claims["file"] not in self.records:
            return None
        stored, content_type = self.records[claims["file"]]
        return StoredDownload(
            self.announced[claims["file"]].name, content_type, stored.size, stored.sha256, stored.storage_key
        )

    async def generate_export(self, claims: Claims) -> GeneratedExport | None:
        return GeneratedExport(f"{claims['what']}.csv", "text/csv", b"a,b\n") if claims["what"] != "gone" else None


class FileServer:
    """The running server: a client, its service, and the folder of its store."""

    def __init__(self, client: httpx2.AsyncClient, service: MemoryFileService, folder: Path, port: int) -> None:
        self.client, self.service, self.folder, self.port = client, service, folder, port

    def announce(self, name: str, size: int, file: int = 1) -> str:
        """Announces a file, and returns its upload URL."""
        self.service.announced[file] = ExpectedUpload(name, size)
        return signed_url("uploads", UPLOAD, {"file": file})

    def stored_files(self) -> list[Path]:
        """Returns all files in the store."""
        return [path for path in self.folder.rglob("*") if path.is_file()]


def signed_url(path: str, purpose: str, claims: Claims, minutes: int = 5) -> str:
    """Returns a signed URL that expires after so many minutes."""
    return f"/{path}/{SIGNED_URLS.sign(purpose, claims, clock.now() + dt.timedelta(minutes=minutes))}"


@asynccontextmanager
async def file_server(folder: Path, store: FileStore | None = None) -> AsyncIterator[FileServer]:
    """Runs the endpoints on a store, by default in the folder; an upload fails after half a second without a byte."""
    store = store or open_store(folder)
    service = MemoryFileService(store)
    app = Starlette(routes=routes(SIGNED_URLS, store, service, idle_seconds=0.5))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield FileServer(client, service, folder, port)
    server.should_exit = True
    await running

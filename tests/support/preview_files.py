"""Files that previews are made of, the pictures that come out, and pools of workers of a test's own."""

import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pillow_heif
import pytest
from PIL import Image

from db.worker_process import WorkerPool
from services.storage import previews
from services.storage.file_store import FileStore, StoredFile
from services.storage.transfers import StoredDownload


def picture(format_: str, size: tuple[int, int] = (600, 400), **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    made = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(made, format_, **options)
    return made.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "WEBP"
    return image


async def stored(store: FileStore, content: bytes, content_type: str) -> StoredDownload:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    kept: StoredFile = await store.write(chunks(), limit=10**9)
    return StoredDownload("x", content_type, kept.size, kept.sha256, kept.storage_key)


@contextmanager
def preview_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WorkerPool]]:
    """Yields what makes the pool that makes previews from then on."""
    pools: list[WorkerPool] = []

    def make(function: str = "services.storage.preview_picture:make_preview", **options: float) -> WorkerPool:
        pools.append(WorkerPool(function, **options))  # type: ignore[arg-type]
        monkeypatch.setattr(previews, "_workers", pools[-1])
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()

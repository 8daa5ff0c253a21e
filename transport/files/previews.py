"""Previews of stored files over HTTP, and what lets a page of an allowed origin show a file."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.storage.file_store import FileStore
from services.storage.previews import preview_of
from services.storage.transfers import StoredDownload
from transport.files.service import FileError

# Kinds that a browser shows without running anything of them.
INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "application/pdf"})


def shown_headers(content_type: str, allowed_origins: Sequence[str]) -> dict[str, str]:
    """Returns the headers of a file that is shown on a page: of this server, or of an allowed origin."""
    ancestors = " ".join(("'self'", *allowed_origins))
    # A browser's own viewer of PDFs does not start in a sandbox.
    sandbox = "" if content_type == "application/pdf" else "; sandbox"
    return {
        "Content-Disposition": "inline",
        "Content-Security-Policy": f"default-src 'none'; frame-ancestors {ancestors}{sandbox}",
        "Cross-Origin-Resource-Policy": "cross-origin" if allowed_origins else "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
    }


async def preview(
    method: str, stored: StoredDownload, claims: Mapping[str, Any], store: FileStore, allowed_origins: Sequence[str]
) -> Response:
    """Sends the preview of a file as WebP. `claims`: those of its link."""
    picture = await preview_of(store, stored, claims["preview"], claims["user"])
    if picture is None:
        raise FileError(404, "There is no picture of this file. Download it instead.")
    headers = {
        **shown_headers("image/webp", allowed_origins),
        "Content-Type": "image/webp",
        "Content-Length": str(len(picture)),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Response(b"" if method == "HEAD" else picture, headers=headers)

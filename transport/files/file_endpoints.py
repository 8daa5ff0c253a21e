"""The file endpoints by signed URL: `/uploads/{link}`, `GET /downloads/{link}` and `GET /exports/{link}`."""

from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.signed_urls import InvalidSignedUrl, SignedUrls
from db.outages import Outage, outage_of
from services.exports.slots import RETRY_SECONDS, TooManyExports
from services.storage.file_store import FileStore, StoreFull, StoreUnavailable, UploadTooLarge
from services.storage.upload_rules import UnacceptableUpload
from transport.files import downloads, resumed_uploads, uploads
from transport.files.service import FileError, FileService
from transport.files.upload_connections import UploadConnections
from transport.graphql.errors import RETRY_SECONDS as OUTAGE_SECONDS
from transport.graphql.errors import outage_response

log = structlog.get_logger(__name__)

# A stalled upload is cut within the 30 s in which every other half-sent request is.
IDLE_SECONDS = 25.0


def routes(
    signed_urls: SignedUrls,
    store: FileStore,
    service: FileService,
    allowed_origins: Sequence[str] = (),
    *,
    idle_seconds: float = IDLE_SECONDS,
) -> list[Route]:
    """Returns the three routes. An upload fails after `idle_seconds` without a byte.

    Pages of `allowed_origins` may show previews and files of safe kinds.

    An upload is PUT. It is idempotent: the same bytes again get 200 with the same JSON and change nothing; other bytes
    for a file that has arrived get 409. One that is sent with PATCH goes on where it was cut (tus 1.0): HEAD says where
    that is. An error is `{"error": message}` with 400 (fewer bytes than announced), 403 (invalid link), 404 (no
    preview), 408 (idle), 409, 410 (expired, gone or cut too often), 412 (another version of tus), 413 (more bytes than
    announced), 415 (type not accepted), 423 (too many connections send the file), 429 (too many exports of one user at
    once), 500 (the stored file is corrupt), 503 (the store or the database is unavailable, or too many exports of
    everybody at once) or 507 (the store is full). 429 and 503 for exports, and an outage of the database, come with
    Retry-After.
    """

    connections = UploadConnections()

    async def upload(request: Request) -> Response:
        if request.method == "HEAD":
            return await _respond(request, lambda: resumed_uploads.offset(request, signed_urls, service))
        receive = uploads.upload if request.method == "PUT" else resumed_uploads.append

        async def counted() -> Response:
            with connections.counted(request.path_params["link"]):
                return await receive(request, signed_urls, store, service, idle_seconds)

        return await _respond(request, counted)

    async def download(request: Request) -> Response:
        return await _respond(
            request, lambda: downloads.download(request, signed_urls, store, service, allowed_origins)
        )

    async def export(request: Request) -> Response:
        return await _respond(request, lambda: downloads.export(request, signed_urls, service))

    return [
        Route("/uploads/{link}", upload, methods=["PUT", "PATCH", "HEAD"], name="upload"),
        Route("/downloads/{link}", download, methods=["GET"], name="download"),
        Route("/exports/{link}", export, methods=["GET"], name="export"),
    ]


async def _respond(request: Request, handle: Callable[[], Awaitable[Response]]) -> Response:
    retry_after = None
    try:
        return await handle()
    except FileError as error:
        status, message = error.status, str(error)
    except InvalidSignedUrl as error:
        status, message = (410 if error.expired else 403), f"{error} Ask for a new one."
    except UnacceptableUpload as error:
        status, message = 415, str(error)
    except UploadTooLarge as error:
        status, message = 413, f"The file is larger than the {error.limit:,} bytes that were announced."
    except StoreFull:
        log.error("file_store_full")
        status, message = 507, "The file store is full. Nothing was saved. Try again later."
    except StoreUnavailable as error:
        log.error("file_store_unavailable", cause=repr(error.__cause__)[:300])
        status, message = 503, "The file store is not available. Nothing was changed. Try again in a minute."
    except TooManyExports as error:
        status, message, retry_after = (429 if error.own else 503), str(error), str(RETRY_SECONDS)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception as error:
        # The database, or the process that writes exports.
        outage = outage_response(error)
        if outage is None:
            raise
        log.error("file_request_failed", cause=type(error).__name__)
        status, message, retry_after = outage.status, outage.errors[0]["message"], str(OUTAGE_SECONDS)
        if outage_of(error) is Outage.OUTCOME_UNKNOWN:
            message = (
                "The connection to the database was lost while the file was being recorded: it may be, or not. Send "
                "the same file to the same link again, and it is recorded once."
            )
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    if request.method in ("PUT", "PATCH"):
        if status != 408:
            await uploads.discard_body(request)
        # Else the server would read whatever the client still sends.
        headers["Connection"] = "close"
    return JSONResponse({"error": message}, status, headers)

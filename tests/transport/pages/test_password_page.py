"""The page that sets a password says so where the server cannot do it at the moment, and keeps the form."""

import httpx2
from starlette.applications import Starlette

from db.worker_process import WorkerFailed
from transport.pages import password_page


async def test_an_outage_is_503_with_the_form() -> None:
    async def failing(token: str, new_password: str, address: str, request_id: str | None) -> None:
        raise WorkerFailed("too many calls wait for a worker process")

    app = Starlette(routes=password_page.routes(failing))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        passwords = {"token": "a", "new": "correct horse battery", "again": "correct horse battery"}
        answer = await client.post("/password", data=passwords)
    assert answer.status_code == 503
    assert "not available at the moment" in answer.text and 'name="again"' in answer.text

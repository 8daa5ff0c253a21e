"""Files and exports over HTTP, end to end: upload, download, and the end of access with the session."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from tests.services.storage.test_previews import picture
from tests.support.http_server import serving
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

BODY = b"What I did today.\n" * 1000
FILE = "query($id: ID!) { node(id: $id) { ... on File { name size sha256 download { url } } } }"
EXPORTS = """{ viewer { learner { timeLogExport { url }
    aims { progressMapExport { url } recordOfAchievementExport { url } } } } }"""
LOGOUT = "mutation($token: String!) { logout(refreshToken: $token) { errors { message } } }"


async def test_files_and_exports_can_be_downloaded_until_the_session_ends(
    empty_portfolio: EmptyPortfolio, tmp_path: Path
) -> None:
    async with serving(empty_portfolio.database.url, tmp_path / "data") as running:
        async with running.signed_in(empty_portfolio.user("learner").username, PASSWORD) as ada:
            id = await ada.upload("day.txt", "text/plain", BODY)
            file = (await ada.data(FILE, id=id))["node"]
            assert (file["name"], file["size"]) == ("day.txt", len(BODY))
            assert file["sha256"] == hashlib.sha256(BODY).hexdigest()
            fetched = await ada.http.get(file["download"]["url"])
            assert (fetched.status_code, fetched.content) == (200, BODY)
            learner = (await ada.data(EXPORTS))["viewer"]["learner"]
            sheets = [link["url"] for aim in learner["aims"] for link in aim.values()]
            assert len(sheets) == 4
            for url, begins in [(learner["timeLogExport"]["url"], b"PK"), *((url, b"%PDF") for url in sheets)]:
                made = await ada.http.get(url)
                assert (made.status_code, made.content.startswith(begins)) == (200, True), made.text
            await ada.data(LOGOUT, token=ada.tokens["refreshToken"])
            for url in (file["download"]["url"], learner["timeLogExport"]["url"], *sheets):
                assert (await ada.http.get(url)).status_code == 410


SHOWN = "query($id: ID!) { node(id: $id) { ... on File { download { url } preview(width: 200) { url } } } }"


async def test_previews_and_safe_kinds_are_shown_on_pages_of_allowed_origins(
    empty_portfolio: EmptyPortfolio, tmp_path: Path
) -> None:
    origin, url = "https://app.example", empty_portfolio.database.url
    async with serving(url, tmp_path / "data", WAYMARK_ALLOWED_ORIGINS=origin) as running:
        async with running.signed_in(empty_portfolio.user("learner").username, PASSWORD) as ada:
            photo = await ada.upload("me.png", "image/png", picture("PNG"))
            text = await ada.upload("day.txt", "text/plain", BODY)
            links = (await ada.data(SHOWN, id=photo))["node"]
            shown = await ada.http.get(links["preview"]["url"])
            assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
            assert Image.open(io.BytesIO(shown.content)).size == (160, 107)
            inline = await ada.http.get(links["download"]["url"], params={"inline": ""})
            for response in (shown, inline):
                assert response.headers["content-disposition"].startswith("inline")
                assert response.headers["cross-origin-resource-policy"] == "cross-origin"
                assert f"frame-ancestors 'self' {origin}" in response.headers["content-security-policy"]
            attached = await ada.http.get(links["download"]["url"])
            assert attached.headers["content-disposition"].startswith("attachment")
            assert attached.headers["cross-origin-resource-policy"] == "same-origin"
            # A text could be taken for a page, so it is never shown, and has no picture.
            links = (await ada.data(SHOWN, id=text))["node"]
            assert links["preview"] is None
            inline = await ada.http.get(links["download"]["url"], params={"inline": ""})
            assert inline.headers["content-disposition"].startswith("attachment")
            narrow = SHOWN.replace("200", "20")
            assert await ada.error_messages(narrow, id=photo) == ["width: Ask for a width of at least 64 pixels."]
            damaged = await ada.upload("bad.png", "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40))
            missing = await ada.http.get((await ada.data(SHOWN, id=damaged))["node"]["preview"]["url"])
            assert (missing.status_code, "Download it instead" in missing.text) == (404, True)

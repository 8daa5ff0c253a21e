"""Files and exports over HTTP, end to end: upload, download, and the end of access with the session."""

import hashlib
from pathlib import Path

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

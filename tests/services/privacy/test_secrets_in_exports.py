"""No export holds a live link or a secret: every kind is planted in an account and looked for in every export."""

import io
import json
import re
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyotp
import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from db.models.auth_session import OneTimeToken, RefreshToken
from db.models.guest_invitation import GuestInvitation
from db.models.outbox import OutboxMail
from db.models.user import User
from services.backup.backup import create_backup
from services.mail.messages import CARRIES_SECRET, GUEST_INVITATION
from services.storage.file_store import open_store
from tests.support.client import PASSWORD, HttpClient
from tests.support.privacy_scenario import Scene

EXPORTS = """query($id: ID!) { learner(id: $id) { timeLogExport { url }
    aims { progressMapExport { url } recordOfAchievementExport { url } } } }"""
SUBJECT_ACCESS = "mutation($id: ID!) { subjectAccessExport(learnerId: $id) { download { url } errors { code } } }"
RESET = "mutation($u: String!) { passwordResetRequest(username: $u) { errors { code } } }"
INVITE = """mutation($id: ID!) { userInvite(input: { name: "Mia Meyer", email: "mia@garage.example",
    role: EMPLOYER_MANAGER }) { errors { code } } learner: subjectAccessExport(learnerId: $id) { errors { code } } }"""
TRAIL = """query($id: ID!) { auditTrail(subjectId: $id, first: 100) { nodes { id action at
    actor { name } } } }"""
USE_TOKEN = """mutation($token: String!, $new: String!) { passwordReset(input: { token: $token, newPassword: $new }) {
    accessToken errors { code } } }"""
REFRESH = "mutation($token: String!) { tokenRefresh(refreshToken: $token) { accessToken errors { code } } }"
# What the names of the files say.
KINDS = ("Time log", "Progress map", "Record of achievement", "Subject access")
NEW_ADDRESS = """mutation($id: ID!) { userUpdate(id: $id, input: { email: "ada.new@garage.example" }) {
    errors { code } } }"""
SIGNING_CODE = "mutation { signingCodeRequest { sentTo errors { code } } }"
ENROL = "mutation($password: String!) { secondFactorEnrol(password: $password) { uri errors { code } } }"
CONFIRM = "mutation($code: String!) { secondFactorConfirm(code: $code) { recoveryCodes errors { code } } }"
NEW_PASSWORD = "a second heron on the weir"


async def planted(scene: Scene) -> tuple[list[str], list[str]]:
    """Plants secrets of every kind in the learner's account; returns those, and what is stored of them as hashes."""
    services, live = scene.running.server.services, [PASSWORD]

    async def sends_nothing() -> int:
        return 0

    # Mail that waits is the case that matters: once it is sent, its link is not kept.
    services.mail.send_due = sends_nothing  # type: ignore[method-assign]
    async with scene.running.signed_in("learner") as ada, scene.running.anonymous() as stranger:
        live += [ada.tokens["accessToken"], ada.tokens["refreshToken"]]
        links = await ada.data(EXPORTS, id=scene.id)
        live += [link.rpartition("/")[2] for link in re.findall(r'http[^"\']+', json.dumps(links))]
        live.append(await _download_link(ada))
        assert (await stranger.data(RESET, u="learner"))["passwordResetRequest"]["errors"] == []
        refreshed = await ada.data(REFRESH, token=ada.tokens["refreshToken"])
        live += [refreshed["tokenRefresh"]["accessToken"]]
        ada.use({**ada.tokens, **refreshed["tokenRefresh"]})
        live += await _second_factor(ada)
        async with scene.database.writing() as session:
            await session.execute(update(User).where(User.username == "learner").values(has_password=False))
        assert (await ada.data(SIGNING_CODE))["signingCodeRequest"]["errors"] == []
        async with scene.database.writing() as session:
            await session.execute(update(User).where(User.username == "learner").values(has_password=True))
    async with scene.running.signed_in("master.admin") as master:
        assert (await master.data(INVITE, id=scene.id))["userInvite"]["errors"] == []
        (own,) = await scene.rows(User, User.username == "learner")
        changed = await master.data(NEW_ADDRESS, id=f"User_{own.id}")
        assert changed["userUpdate"]["errors"] == []
        await _guest(scene, master)
    mails = await scene.rows(OutboxMail, OutboxMail.kind.in_(CARRIES_SECRET))
    assert {mail.kind for mail in mails} == CARRIES_SECRET
    for mail in mails:
        filled = services.one_time_secrets.fill_in(mail.body, mail.to_address)
        ((token, code),) = re.findall(r"token=(\S+)|^(\d{8})$", filled, re.MULTILINE)
        live.append(token or code)
    async with scene.database.snapshot() as session:
        hashes = [*(await session.scalars(select(User.password_hash)))]
        guest = (GuestInvitation.token_sha256, GuestInvitation.code_mac)
        for column in (RefreshToken.token_sha256, OneTimeToken.token_sha256, *guest):
            # The demo has links for which no code was sent.
            hashes += await session.scalars(select(column).where(column.is_not(None)))
    assert len(live) > 9 and len(hashes) > 9
    return live, hashes


async def _guest(scene: Scene, master: HttpClient) -> None:
    """Invites a guest to sign a document, who opens it and asks for a code."""
    file_id = await master.upload("plan.txt", "text/plain", b"plan")
    asked = {"learnerId": scene.id, "title": "Plan", "fileId": file_id, "roles": ["EMPLOYER_MANAGER"]}
    request = (await master.mutate("signatureRequestCreate", input=asked))["id"]
    guest = {"role": "EMPLOYER_MANAGER", "name": "Jo Miller", "email": "jo@works.example"}
    await master.mutate("guestSignatureInvite", requestId=request, **guest)
    (mail,) = await scene.rows(OutboxMail, OutboxMail.kind == GUEST_INVITATION)
    filled = scene.running.server.services.one_time_secrets.fill_in(mail.body, mail.to_address)
    form = {"token": re.findall(r"token=(\S+)", filled)[0], "name": "Jo Miller"}
    async with scene.running.anonymous() as stranger:
        assert (await stranger.http.post("/sign/document", data=form)).status_code == 303
        assert (await stranger.http.post("/sign/code", data=form)).status_code == 200


async def _second_factor(client: HttpClient) -> list[str]:
    """Sets up a second factor; returns its secret and the recovery codes."""
    begun = await client.data(ENROL, password=PASSWORD)
    app = pyotp.parse_uri(begun["secondFactorEnrol"]["uri"])
    confirmed = await client.data(CONFIRM, code=app.now())
    codes = confirmed["secondFactorConfirm"]["recoveryCodes"]
    assert len(codes) == 10
    return [app.secret, *codes]


async def _download_link(client: HttpClient) -> str:
    file_id = await client.upload("notes.txt", "text/plain", b"notes")
    found = await client.data("query($id: ID!) { node(id: $id) { ... on File { download { url } } } }", id=file_id)
    return found["node"]["download"]["url"].rpartition("/")[2]


def text_in(content: bytes) -> str:
    """Everything that a person finds in a ZIP, a workbook or a PDF, and the bytes as they are."""
    parts = [content.decode("latin-1")]
    if content.startswith(b"%PDF"):
        parts += [page.extract_text().replace("\n", "") for page in PdfReader(io.BytesIO(content)).pages]
    elif content.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        parts += [text_in(archive.read(name)) for name in archive.namelist()]
        if "xl/workbook.xml" in archive.namelist():
            sheets = openpyxl.load_workbook(io.BytesIO(content))
            parts += [str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row]
    return "\n".join(parts)


async def exports_of(scene: Scene) -> dict[str, str]:
    """Every export about the learner, as a Master Admin gets it."""
    found = {}
    async with scene.running.signed_in("master.admin") as master:
        answers = [await master.data(EXPORTS, id=scene.id), await master.data(SUBJECT_ACCESS, id=scene.id)]
        for url in re.findall(r'http[^"\']+', json.dumps(answers)):
            response = await master.http.get(url)
            assert response.status_code == 200
            file_name = response.headers["content-disposition"].split('"')[1]
            name = next(kind for kind in KINDS if kind in file_name)
            found[name] = found.get(name, "") + text_in(response.content)
        found["trail"] = json.dumps(await master.data(TRAIL, id=scene.id))
    assert set(found) == {*KINDS, "trail"}
    return found


async def test_no_export_holds_a_live_link_or_a_secret(scene: Scene) -> None:
    live, hashes = await planted(scene)
    for name, said in (await exports_of(scene)).items():
        assert [secret for secret in (*live, *hashes) if secret in said] == [], name
    # A stolen copy of the tables opens nothing either: they have hashes only.
    tables = await scene.dump()
    assert [secret for secret in live if secret in tables] == []


async def test_what_an_export_says_opens_no_account(scene: Scene) -> None:
    """A Master Admin tries every word of a learner's subject access as the token of a link and of a refresh."""
    await planted(scene)
    archive = (await exports_of(scene))["Subject access"]
    words = {word for word in re.findall(r"[\w{}:.=+/-]{20,}", archive) if word.isascii()}
    mails = await scene.rows(OutboxMail, OutboxMail.kind.in_(CARRIES_SECRET))
    words = set(list(words)[:15]) | {word for mail in mails for word in re.findall(r"token=(\S+)", mail.body)}
    async with scene.running.anonymous() as master:
        for word in words:
            opened = await master.data(USE_TOKEN, token=word, new=NEW_PASSWORD)
            assert opened["passwordReset"]["errors"] and opened["passwordReset"]["accessToken"] is None
            opened = await master.data(REFRESH, token=word)
            assert opened["tokenRefresh"]["accessToken"] is None


async def test_a_reference_in_a_name_gets_nothing(scene: Scene) -> None:
    """Who knows the reference of another's link, and has it filled in in a mail to themself, gets another secret."""
    live, _ = await planted(scene)
    (reset,) = await scene.rows(OutboxMail, OutboxMail.kind == "password_reset")
    (reference,) = re.findall(r"token=(\S+)", reset.body)
    services = scene.running.server.services
    assert services.one_time_secrets.fill_in(reference, reset.to_address) in live
    assert services.one_time_secrets.fill_in(reference, "eve@example.org") not in live


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_backup_holds_no_live_link(scene: Scene, tmp_path: Path) -> None:
    live, _ = await planted(scene)
    await create_backup(scene.database.url, open_store(scene.folder / "files"), tmp_path / "backup")
    for path in (tmp_path / "backup").rglob("*"):
        content: Any = path.read_bytes() if path.is_file() else b""
        assert [secret for secret in live if secret.encode() in content] == [], path.name
    with sqlite3.connect(tmp_path / "backup" / "database.db") as copy:
        assert copy.execute("select count(*) from outbox_mail where kind = 'password_reset'").fetchone() == (1,)

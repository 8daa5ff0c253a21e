"""Each check of the doctor: nothing to say of a good installation, and the right sentence for each fault."""

import asyncio
import os
import re
import resource
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from commands.command_line import make_parser
from commands.doctor import run_doctor
from db import sqlite_file
from db.database import Database
from services.doctor import machine_checks, service_checks
from services.doctor.finding import Status
from services.doctor.settings_checks import unknown_settings
from services.settings import read_settings
from tests.services.doctor.conftest import Installation
from tests.support.server_process import free_port
from tests.support.smtp_server import Post

KEY = "bXkga2V5IGlzIG5vdCBzaG9ydCwgYW5kIGl0IGlzIG5vdCB5b3Vycw=="
OTHER = "b3RoZXIga2V5cyBhcmUgbm90IHNob3J0LCBhbmQgbm90IHlvdXJz"
KEYS = f"a:{KEY}"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


async def test_a_good_installation_has_no_problem(installation: Installation):
    async with Post() as post:
        found = await installation.examine(WAYMARK_SMTP_URL=post.url)
    # The tests' PostgreSQL makes nothing durable, and the machine may allow few descriptors and lack fonts.
    wrong = {name for name, each in found.items() if each.status is not Status.OK}
    assert wrong <= {"descriptors", "fonts"} | (
        {"database"} if "postgresql" in installation.environment["WAYMARK_DATABASE_URL"] else set()
    )
    assert set(found) >= {
        "base-url",
        "keys",
        "proxies",
        "permissions",
        "space",
        "libraries",
        "fonts",
        "unit",
        "tables",
        "store",
    }


@SQLITE
@pytest.mark.parametrize(
    ("check", "status", "environment", "says"),
    [
        ("base-url", Status.PROBLEM, {"WAYMARK_BASE_URL": "http://portfolio.example"}, "without TLS"),
        ("host", Status.WARNING, {"WAYMARK_HOST": "0.0.0.0"}, "WAYMARK_HOST"),
        ("metrics", Status.WARNING, {"WAYMARK_METRICS": "0.0.0.0:9464"}, "WAYMARK_METRICS"),
        ("metrics", Status.WARNING, {"WAYMARK_METRICS": "off"}, "no alert"),
        ("keys", Status.PROBLEM, {"WAYMARK_SECRET_KEYS": f"a:{KEY},b:{KEY}"}, "same key"),
        ("keys", Status.WARNING, {"WAYMARK_SECRET_KEYS": f"a:{KEY},b:{OTHER},c:{KEY[4:-4]}{OTHER[:8]}"}, "two keys"),
        ("proxies", Status.PROBLEM, {"WAYMARK_TRUSTED_PROXIES": "*"}, "forge"),
        ("proxies", Status.PROBLEM, {"WAYMARK_TRUSTED_PROXIES": "10.0.0.1, 0.0.0.0/0"}, "forge"),
        ("proxies", Status.WARNING, {"WAYMARK_HOST": "10.0.0.5"}, "not trusted"),
        ("graphiql", Status.WARNING, {"WAYMARK_GRAPHIQL": "on"}, "WAYMARK_GRAPHIQL=off"),
        (
            "settings",
            Status.WARNING,
            {"WAYMARK_SMPT_URL": "smtp://post"},
            "no settings of the server: WAYMARK_SMPT_URL.",
        ),
        ("settings", Status.OK, {"WAYMARK_QUOTA_EXPORTS": "4", "WAYMARK_LIMIT_DEPTH": "9"}, "is a setting"),
        ("settings", Status.PROBLEM, {"WAYMARK_QUOTA_EXPORT": "4"}, "not start: WAYMARK_QUOTA_EXPORT is not a setting"),
        ("mail", Status.WARNING, {}, "WAYMARK_SMTP_URL"),
        ("mail", Status.PROBLEM, {"WAYMARK_SMTP_URL": "smtp://127.0.0.1:1"}, "cannot be used"),
        ("mail", Status.PROBLEM, {"WAYMARK_SMTP_URL": "http://example.org"}, "WAYMARK_SMTP_URL"),
        ("store", Status.PROBLEM, {"WAYMARK_FILES_URL": "/proc/files"}, "WAYMARK_FILES_URL"),
    ],
)
async def test_a_setting(
    installation: Installation, check: str, status: Status, environment: dict[str, str], says: str
):
    found = (await installation.examine(**environment))[check]
    assert found.status is status and says in found.message


@SQLITE
@pytest.mark.parametrize("name", ["data", "environment_file", "database"])
async def test_files_that_others_can_read(installation: Installation, name: str):
    database = Path(installation.environment["WAYMARK_DATABASE_URL"].partition("///")[2])
    path = database if name == "database" else getattr(installation, name)
    path.chmod(path.stat().st_mode | 0o040)
    found = (await installation.examine())["permissions"]
    assert found.status is Status.PROBLEM and f"chmod go= {path}" in found.message


@SQLITE
async def test_few_descriptors(installation: Installation):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    try:
        with_unit = (await installation.examine())["descriptors"]
        installation.unit.unlink()
        found = (await installation.examine())["descriptors"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found.status is Status.WARNING and "LimitNOFILE" in found.message
    # The service has the limit of its unit, whatever the shell of the doctor has.
    assert with_unit.status is Status.OK


@SQLITE
async def test_folders_that_the_unit_makes_read_only(installation: Installation, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    found = (await installation.examine(WAYMARK_FILES_URL=str(elsewhere)))["unit"]
    assert found.status is Status.PROBLEM and f"cannot write to {elsewhere}: add it to ReadWritePaths" in found.message
    database = Path(installation.environment["WAYMARK_DATABASE_URL"].partition("///")[2]).parent
    installation.unit.write_text(re.sub(f" {database}$", "", installation.unit.read_text(), flags=re.MULTILINE))
    assert f"cannot write to {database}:" in (await installation.examine())["unit"].message
    installation.unit.write_text(installation.unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=full"))
    assert (await installation.examine())["unit"].status is Status.WARNING


@SQLITE
async def test_a_limit_that_there_is_not(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    settings = read_settings({**installation.environment, "WAYMARK_LIMIT_DEEP": "9"})
    words = make_parser().parse_args(["doctor", "--unit", str(installation.unit)])
    assert await asyncio.to_thread(run_doctor, settings, words) == 1
    assert "settings     The server does not start: WAYMARK_LIMIT_DEEP is not a limit" in capsys.readouterr().out


async def test_the_documented_settings_are_the_known_ones():
    page = (machine_checks.ROOT / "docs" / "operations.md").read_text()
    table = page.partition("## Settings")[2].partition("### Limits")[0]
    named = set(re.findall(r"^\| `(WAYMARK_\w+)`", table, re.MULTILINE))
    values = dict.fromkeys(named, "")
    assert (
        len(named) > 20 and unknown_settings({**values, "WAYMARK_DATA": "/nowhere", "WAYMARK_SECRET_KEYS": KEYS}) == []
    )


@SQLITE
async def test_another_user_than_the_servers(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    settings, user = read_settings(installation.environment), os.geteuid()
    assert machine_checks.check_user(settings).status is Status.OK
    monkeypatch.setattr(os, "geteuid", lambda: user + 4_000_000)
    words = make_parser().parse_args(["doctor", "--unit", str(installation.unit)])
    assert await asyncio.to_thread(run_doctor, settings, words) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert f"{installation.data} belongs to " in line and f"runs as user {user + 4_000_000}: run it" in line
    # It would have stored a file.
    assert not (installation.data / "files").exists()


@SQLITE
async def test_little_space(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine_checks, "_LEAST_FREE_BYTES", shutil.disk_usage("/").total * 100)
    assert (await installation.examine())["space"].status is Status.PROBLEM


@SQLITE
async def test_other_libraries(installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    lock = (machine_checks.ROOT / "requirements.lock").read_text()
    (tmp_path / "requirements.lock").write_text(lock.replace("\nstarlette==", "\nstarlette==9"))
    monkeypatch.setattr(machine_checks, "ROOT", tmp_path)
    found = (await installation.examine())["libraries"]
    assert found.status is Status.PROBLEM and "starlette. Run scripts/setup" in found.message


@SQLITE
async def test_scripts_without_a_font(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine_checks, "_SCRIPTS_OF_SYSTEM_FONTS", {"Latin": "a", "No script": "\U00018b00"})
    found = (await installation.examine())["fonts"]
    assert found.status is Status.WARNING and "cannot show No script: install" in found.message
    monkeypatch.setattr(machine_checks, "_SCRIPTS_OF_SYSTEM_FONTS", {"Latin": "a"})
    assert (await installation.examine())["fonts"].status is Status.OK


@SQLITE
@pytest.mark.parametrize(
    "line", ["UMask=", "Restart=", "LimitNOFILE=", "NoNewPrivileges=", "ProtectSystem=", "WantedBy="]
)
async def test_a_line_of_the_unit_is_missing(installation: Installation, line: str):
    kept = [each for each in installation.unit.read_text().splitlines() if not each.startswith(line)]
    installation.unit.write_text("\n".join(kept))
    found = (await installation.examine())["unit"]
    assert found.status is Status.WARNING and line.rstrip("=") in found.message


@SQLITE
async def test_no_unit(installation: Installation):
    installation.unit.unlink()
    assert (await installation.examine())["unit"].status is Status.WARNING


@SQLITE
async def test_a_network_filesystem(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    kinds = {line.split()[2] for line in Path("/proc/mounts").read_text().splitlines()}
    monkeypatch.setattr(sqlite_file, "_NETWORK", kinds)
    found = (await installation.examine())["filesystem"]
    assert found.status is Status.PROBLEM and "local disk" in found.message


@SQLITE
async def test_old_and_missing_backups(installation: Installation):
    manifest = installation.backups / "tonight" / "manifest.json"
    days_ago = time.time() - 3 * 86400
    os.utime(manifest, (days_ago, days_ago))
    found = (await installation.examine())["backups"]
    assert found.status is Status.PROBLEM and "72 hours old" in found.message
    manifest.unlink()
    assert "no backup" in (await installation.examine())["backups"].message
    (installation.backups / "waymark.dump").touch()
    assert (await installation.examine())["backups"].status is Status.OK
    assert machine_checks.check_backups(None).status is Status.WARNING


async def test_tables_that_this_version_cannot_serve(installation: Installation):
    database = Database(installation.environment["WAYMARK_DATABASE_URL"])
    async with database.writing() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999', expanded = '9999'"))
    await database.close()
    found = (await installation.examine())["tables"]
    assert found.status is Status.PROBLEM and "newer" in found.message


async def test_no_database(installation: Installation, backend: str, tmp_path: Path):
    url = f"postgresql://waymark:secret@127.0.0.1:{free_port()}/waymark"
    if backend == "sqlite":
        url = f"sqlite:///{tmp_path / 'none.db'}"
    found = await installation.examine(WAYMARK_DATABASE_URL=url)
    finding = found["tables" if backend == "sqlite" else "database"]
    assert finding.status is Status.PROBLEM and "secret" not in finding.message
    assert not (tmp_path / "none.db").exists()


@POSTGRESQL
async def test_settings_of_postgresql_that_lose_data(installation: Installation):
    # The tests' own server makes nothing durable.
    found = [each for each in await installation.examine_all() if each.check == "database"]
    problems = [each.message for each in found if each.status is Status.PROBLEM]
    assert [message.split(" is off")[0].removeprefix("PostgreSQL's setting ") for message in problems] == [
        "fsync", "full_page_writes", "synchronous_commit",
    ]  # fmt: skip


@POSTGRESQL
async def test_an_old_postgresql_few_connections_and_a_wrong_clock(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service_checks, "_POSTGRESQL_SETTINGS", {})
    monkeypatch.setattr(service_checks, "_LEAST_POSTGRESQL", 99)
    monkeypatch.setattr(service_checks, "_MOST_CLOCK_DIFFERENCE_SECONDS", -1.0)
    found = await installation.examine(WAYMARK_POOL_SIZE="200")
    assert found["database"].status is Status.PROBLEM and "too old" in found["database"].message
    assert found["clock"].status is Status.PROBLEM and "NTP" in found["clock"].message
    assert found["connections"].status is Status.WARNING and "601 connections" in found["connections"].message

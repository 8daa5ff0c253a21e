"""Each check of the doctor: nothing to say of a good installation, and the right sentence for each fault."""

import asyncio
import os
import re
import resource
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from commands.command_line import make_parser
from commands.doctor import run_doctor
from db import sqlite_file
from db.database import Database
from services.doctor import machine_checks, service_checks
from services.doctor.finding import Status
from services.settings import read_settings
from tests.services.doctor.conftest import Installation
from tests.support.server_process import free_port
from tests.support.smtp_server import Post

KEY = "bXkga2V5IGlzIG5vdCBzaG9ydCwgYW5kIGl0IGlzIG5vdCB5b3Vycw=="
OTHER = "b3RoZXIga2V5cyBhcmUgbm90IHNob3J0LCBhbmQgbm90IHlvdXJz"
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


@POSTGRESQL
async def test_notifications_that_do_not_arrive(installation: Installation):
    assert (await installation.examine())["listen"].status is Status.OK
    url = make_url(installation.environment["WAYMARK_DATABASE_URL"])
    elsewhere = url.set(database="postgres").render_as_string(hide_password=False)
    for listen_url in (elsewhere, f"postgresql://waymark:secret@127.0.0.1:{free_port()}/waymark"):
        found = (await installation.examine(WAYMARK_LISTEN_URL=listen_url))["listen"]
        assert found.status is Status.PROBLEM and "same database" in found.message and "secret" not in found.message


@POSTGRESQL
async def test_a_replica_that_is_none(installation: Installation):
    assert "replica" not in await installation.examine()
    url = installation.environment["WAYMARK_DATABASE_URL"]
    found = (await installation.examine(WAYMARK_READ_DATABASE_URL=url))["replica"]
    assert found.status is Status.WARNING and "leads to the primary" in found.message
    away = f"postgresql://waymark:secret@127.0.0.1:{free_port()}/waymark"
    found = (await installation.examine(WAYMARK_READ_DATABASE_URL=away))["replica"]
    assert found.status is Status.WARNING and "does not follow" in found.message and "secret" not in found.message


@POSTGRESQL
async def test_a_database_that_accepts_no_writes(installation: Installation):
    assert (await installation.examine())["writes"].status is Status.OK
    await set_for_database(installation, "default_transaction_read_only = on")
    found = (await installation.examine())["writes"]
    assert found.status is Status.PROBLEM and "read-only" in found.message


@POSTGRESQL
async def test_what_a_pooler_does_not_pass_on(installation: Installation):
    assert "pooler" not in await installation.examine()
    found = (await installation.examine(WAYMARK_POOLER="session"))["pooler"]
    assert found.status is Status.WARNING and "statement_timeout, lock_timeout, idle_in" in found.message
    values = {
        "statement_timeout": "8s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
    }
    for name, value in values.items():
        await set_for_database(installation, f"{name} = '{value}'")
    assert (await installation.examine(WAYMARK_POOLER="session"))["pooler"].status is Status.OK


async def set_for_database(installation: Installation, setting: str) -> None:
    """Sets it for the connections that are opened from now on."""
    database = Database(installation.environment["WAYMARK_DATABASE_URL"])
    async with database.reading(primary=True) as connection:
        name = make_url(database.url).database
        await connection.exec_driver_sql("SET default_transaction_read_only = off")
        await connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET {setting}')
    await database.close()

"""An installation as docs/operations.md describes, and its findings after something of it was broken."""

import base64
import os
from pathlib import Path

import pytest

from services.doctor.finding import Finding, Status
from services.doctor.machine_checks import ROOT, check_backups, check_machine
from services.doctor.service_checks import check_services
from services.doctor.settings_checks import check_settings
from services.settings import read_settings


class Installation:
    """The settings and files of an installation; a test changes them and examines the result."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        self.environment_file = folder / "waymark.env"
        self.environment_file.touch(mode=0o600)
        self.unit = folder / "waymark@.service"
        unit = (ROOT / "deploy" / "waymark@.service").read_text()
        writable = [self.data]
        if database_url.startswith("sqlite"):
            writable.append(Path(database_url.partition("///")[2]).parent)
        paths = " ".join(map(str, writable))
        self.unit.write_text(unit.replace("ReadWritePaths=/srv/waymark/waymark/var", f"ReadWritePaths={paths}"))
        self.backups = folder / "backups"
        (self.backups / "tonight").mkdir(parents=True)
        (self.backups / "tonight" / "manifest.json").touch()
        if database_url.startswith("sqlite"):
            os.chmod(database_url.partition("///")[2], 0o600)
        self.environment = {
            "WAYMARK_DATABASE_URL": database_url,
            "WAYMARK_DATA": str(self.data),
            "WAYMARK_BASE_URL": "https://portfolio.example",
            "WAYMARK_SECRET_KEYS": "first:" + base64.b64encode(bytes(range(32))).decode(),
        }

    async def examine(self, **environment: str) -> dict[str, Finding]:
        """Returns the worst finding of each check. `environment`: other settings."""
        order = [Status.OK, Status.WARNING, Status.PROBLEM]
        found = sorted(await self.examine_all(**environment), key=lambda each: order.index(each.status))
        return {each.check: each for each in found}

    async def examine_all(self, **environment: str) -> list[Finding]:
        """Returns all findings. `environment`: other settings."""
        every = {**self.environment, **environment}
        settings = read_settings(every)
        found = [*check_settings(settings, every), *check_machine(settings, self.environment_file, self.unit)]
        found += [each async for each in check_services(settings)]
        return [*found, check_backups(self.backups)]


@pytest.fixture
def installation(own_database_url: str, tmp_path: Path) -> Installation:
    return Installation(own_database_url, tmp_path)

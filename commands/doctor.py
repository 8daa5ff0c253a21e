"""`doctor` says what of an installation is not as docs/operations.md describes."""

import argparse
import asyncio
import json
import os

from services.doctor.finding import Finding, Status, problem
from services.doctor.machine_checks import check_backups, check_machine, check_user
from services.doctor.service_checks import check_services
from services.doctor.settings_checks import check_settings
from services.settings import Settings
from transport.limits import Limits

_ORDER = [Status.PROBLEM, Status.WARNING, Status.OK]


def run_doctor(settings: Settings, arguments: argparse.Namespace) -> int:
    """Prints the findings, problems first; returns 1 if there is a problem."""
    findings = asyncio.run(_findings(settings, arguments))
    findings.sort(key=lambda each: _ORDER.index(each.status))
    problems = sum(each.status is Status.PROBLEM for each in findings)
    if arguments.json:
        checks = [{"check": each.check, "status": each.status, "message": each.message} for each in findings]
        print(json.dumps({"ok": problems == 0, "findings": checks}, indent=2))
    else:
        for each in findings:
            print(f"{each.status:8} {each.check:12} {each.message}")
    return 1 if problems else 0


async def _findings(settings: Settings, arguments: argparse.Namespace) -> list[Finding]:
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    user = check_user(settings)
    if user.status is Status.PROBLEM:
        return [user]
    found = [
        user,
        *check_settings(settings, os.environ),
        *check_machine(settings, arguments.environment_file, arguments.unit),
    ]
    try:
        Limits.read(settings.limits)
    except ValueError as error:
        found.append(problem("settings", f"The server does not start: {error}."))
    found += [each async for each in check_services(settings)]
    return [*found, check_backups(arguments.backups)]

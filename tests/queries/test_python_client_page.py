"""docs/python-client.md: its module and its program run unchanged against a real server."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.queries.conftest import OperationRunner
from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD

PAGE = (ROOT / "docs" / "python-client.md").read_text()


async def test_typed_client_runs(own_runner: OperationRunner, tmp_path: Path):
    module, program = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "portfolio.py").write_text(module)
    (tmp_path / "schema").mkdir()
    shutil.copy(ROOT / "schema" / "schema.graphql", tmp_path / "schema")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={
            **os.environ, "WAYMARK_URL": own_runner.running.address, "WAYMARK_USERNAME": "assessor",
            "WAYMARK_PASSWORD": PASSWORD,
        },
    )  # fmt: skip
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    numbers = (await own_runner.run("ASSESSOR", "employer_kpis", {})).data["viewer"]["kpis"]
    everyone = (await own_runner.run("ASSESSOR", "employer_dashboard", {})).data["learners"]["totalCount"]
    counts, entry_id, error, overdue = out.decode().splitlines()
    assert re.fullmatch(rf"{everyone} learners, \d+ aims past their planned end", counts)
    assert entry_id.startswith("TimeLogEntry_")
    assert "minute" in error.lower()
    assert overdue == f"{numbers['overdueActionCount']} actions overdue"

"""docs/python-client.md: its module and its program run as they stand, against a real server."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.queries.conftest import Desk
from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD

PAGE = (ROOT / "docs" / "python-client.md").read_text()


async def test_the_typed_client_runs_as_it_is_written(own_desk: Desk, tmp_path: Path):
    module, program = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "portfolio.py").write_text(module)
    (tmp_path / "schema").mkdir()
    shutil.copy(ROOT / "schema" / "schema.graphql", tmp_path / "schema")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={
            **os.environ, "WAYMARK_URL": own_desk.running.address, "WAYMARK_USERNAME": "assessor",
            "WAYMARK_PASSWORD": PASSWORD,
        },
    )  # fmt: skip
    out, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    numbers = (await own_desk.run("ASSESSOR", "employer_kpis", {})).data["viewer"]["kpis"]
    counted, added, refused, overdue = out.decode().splitlines()
    assert re.fullmatch(rf"{numbers['learnerCount']} learners, \d+ aims past their planned end", counted)
    assert added.startswith("TimeLogEntry_")
    assert "minute" in refused.lower()
    assert overdue == f"{numbers['overdueActionCount']} actions overdue"

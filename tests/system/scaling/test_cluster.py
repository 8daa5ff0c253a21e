"""The leader of a real cluster is killed once; `scripts/cluster` does it twenty times."""

from pathlib import Path

import pytest

from tests.support.postgres_cluster import IS_INSTALLED
from tests.system.scaling.kill_leaders import run


@pytest.mark.long
@pytest.mark.skipif(not IS_INSTALLED, reason="Patroni, etcd, HAProxy and PgBouncer are not installed")
async def test_a_killed_leader_costs_nothing_acknowledged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert await run(1, tmp_path), capfd.readouterr().out

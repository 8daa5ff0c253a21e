"""How many SQL statements the screens take that must be fast: the sign-in included, and one learner or fifty alike."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auth.passwords import hash_password
from db.database import Database
from db.models.employer import Employer
from domain.enums import Role
from schema.executor.executor import CompiledExecutor
from server import Server
from tests.support.architecture import ROOT
from tests.support.factories import Factory
from tests.support.http_server import serving

PASSWORD = "fifty-learners-or-one"
OPERATIONS = ROOT / "bench" / "operations"
# What `spec/speed.md` allows.
MOST = {"progress_map": 5, "employer_dashboard": 5, "employer_kpis": 4}


async def fill(database: Database, learners: int) -> str:
    """A provider whose overview sees so many learners with three aims each; the id of one of them."""
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider("Brightpath")
        site: Employer = await factory.employer(provider, "Site")
        overview = await factory.user(
            provider, "Over View", Role.EMPLOYER_OVERVIEW, username="overview",
            password_hash=await hash_password(PASSWORD),
        )  # fmt: skip
        await factory.oversee(overview, site)
        qualification = await factory.qualification(provider, units=(3, 2))
        for number in range(learners):
            learner = await factory.learner(provider, f"Learner {number}", site)
            for _ in range(3):
                await factory.aim(learner, qualification)
        return f"Learner_{learner.id}"


def count_paths(server: Server, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts from now on by which methods of the executor the operations of a server end: its own, no other's."""
    counts: Counter[str] = Counter()

    def counted(name: str, end: Callable[..., Any]) -> Callable[..., Any]:
        def count(executor: CompiledExecutor, *given: Any) -> Any:
            counts[name] += executor.context_value.services is server.services
            return end(executor, *given)

        return count

    for name in ("_succeed", "_fall_back"):
        monkeypatch.setattr(CompiledExecutor, name, counted(name, getattr(CompiledExecutor, name)))
    return counts


@pytest.mark.parametrize("learners", [1, 50])
async def test_statements_of_the_screens_that_must_be_fast(
    database: Database, own_database_url: str, tmp_path: Path, learners: int, monkeypatch: pytest.MonkeyPatch
):
    learner = await fill(database, learners)
    asked = {
        "progress_map": {"learnerId": learner},
        "employer_dashboard": {"first": 50},
        "employer_kpis": {},
    }
    counted: dict[str, int] = {}
    async with serving(own_database_url, tmp_path) as running, running.signed_in("overview", PASSWORD) as person:
        runner = running.server.endpoint.runner
        on_complete, paths = runner.on_complete, count_paths(running.server, monkeypatch)
        for name, variables in asked.items():
            text = (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")
            # Once, so that the qualification's words are in memory, as they are on a server that runs.
            await person.data(text, **variables)
            runner.on_complete = lambda log, name=name: counted.__setitem__(name, log.statements[0])
            before, _ = running.server.services.database.select_cache_counts
            data = await person.data(text, **variables)
            runner.on_complete = on_complete
            hits, _ = running.server.services.database.select_cache_counts
            assert hits - before >= counted[name]
            if name == "employer_dashboard":
                assert data["learners"]["totalCount"] == learners
        documents = running.server.endpoint.cache_stats
    assert counted == {"progress_map": 4, "employer_dashboard": 5, "employer_kpis": 2}
    assert all(counted[name] <= most for name, most in MOST.items())
    # The other caches were hit too: documents and compiled queries.
    assert documents.hits >= 3 and paths == {"_succeed": 2 * len(asked)}

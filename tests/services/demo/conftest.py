"""The demo, built once a file."""

import pytest

from db.database import Database
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.services.demo.demo_data import DemoData
from tests.support.databases import Databases


@pytest.fixture(scope="module")
async def data(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory):
    database = Database(await databases.fresh(backend))
    store = open_store(tmp_path_factory.mktemp("files"))
    await build_demo(database, store)
    yield await DemoData(database, store).read()
    await database.close()

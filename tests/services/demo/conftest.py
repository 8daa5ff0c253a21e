"""The rows of the demo that all tests share."""

import pytest

from db.database import Database
from services.storage.file_store import open_store
from tests.services.demo.demo_data import DemoData
from tests.support.demo_server import Demo


@pytest.fixture(scope="module")
async def data(demo: Demo, backend: str, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("demo")
    database = Database(await demo.copied(backend, folder))
    yield await DemoData(database, open_store(folder / "files")).read()
    await database.close()

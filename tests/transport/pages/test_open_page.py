"""The links of e-mails lead to the record in the provider's frontend, and nowhere else."""

import httpx2
import pytest
from starlette.applications import Starlette

from services.settings import SettingsError, read_settings
from transport.pages import open_page

APP = "/kpi/#/open/{id}"


async def target(id: str, address: str) -> str:
    app = Starlette(routes=open_page.routes(address, "/kpi"))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://waymark.test") as client:
        response = await client.get(f"/open/{id}")
    assert response.status_code == 303
    return response.headers["location"]


async def test_a_link_leads_to_the_record_in_the_frontend():
    assert (
        await target("Evidence_7", "https://app.example/records/{id}?x=1")
        == "https://app.example/records/Evidence_7?x=1"
    )
    assert await target("Unit_7.12", "https://app.example/#/{id}") == "https://app.example/#/Unit_7.12"
    assert await target("Review_7", APP) == "/kpi/#/open/Review_7"


@pytest.mark.parametrize("id", ["x", "Evidence_", "https:evil", "Evidence_1@evil.example"])
async def test_what_is_no_id_leads_to_the_start_page(id: str):
    assert await target(id, "https://app.example/{id}") == "/kpi"


@pytest.mark.parametrize("address", ["https://app.example/", "javascript:{id}", "app.example/{id}"])
def test_an_address_that_cannot_be_used_is_refused(address: str):
    with pytest.raises(SettingsError, match="WAYMARK_OPEN_URL"):
        read_settings({"WAYMARK_OPEN_URL": address})

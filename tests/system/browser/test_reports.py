"""The page of reports in a browser: signing in, forms, charts, the table, files, addresses, a phone and print."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.test_accessibility import violations

INSTALLED = (ROOT / "reports/node_modules/@observablehq/plot/dist/plot.umd.min.js").exists()
needs_charts = pytest.mark.skipif(not INSTALLED, reason="npm is not installed, so the page has no charts")


@asynccontextmanager
async def page_of(
    browser: Browser, served: RunningServer, username: str, *, expected: str = "", **device: Any
) -> AsyncIterator[Page]:
    """Opens the page and signs in. At the end, errors of its console fail the test, unless they contain `expected`."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **device}, locale="en-GB")
    context.set_default_timeout(15_000)
    page, errors = await context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
    try:
        await page.goto(f"{served.address}/reports")
        await page.get_by_label("Username").fill(username)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()
        yield page
        assert [error for error in errors if not (expected and expected in error)] == []
    finally:
        await context.close()


async def go(page: Page, report: str, heading: str) -> None:
    """Goes to a report and waits for its rows."""
    await page.evaluate("report => { location.hash = `#/${report}` }", report)
    await expect(page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible()
    await expect(page.locator("tbody tr").first).to_be_visible()


async def cells(page: Page, column: str) -> list[str]:
    """Returns the texts of a column of the table, from the top."""
    return await page.evaluate(
        """column => { const at = [...document.querySelectorAll('th')].findIndex(e => e.innerText.startsWith(column));
            if (at < 0) throw new Error([...document.querySelectorAll('th')].map(e => e.innerText).join('|'));
            return [...document.querySelectorAll('tbody tr')].map(row => row.cells[at].innerText); }""",
        column,
    )


async def overflowing(page: Page) -> list[str]:
    """Returns the elements beside the table that are wider than the screen."""
    return await page.evaluate(
        """() => [...document.querySelectorAll('main, main *')]
            .filter(e => !e.closest('.visually-hidden, .scroller > *, svg *') && e.getBoundingClientRect().width > 0)
            .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
            .map(e => e.outerHTML.slice(0, 120))"""
    )


async def test_a_report_is_chosen_filled_in_read_and_downloaded(
    running: RunningServer, browser: Browser, tmp_path: Path
):
    async with page_of(browser, running, "assessor") as page:
        assert await violations(page) == []
        await page.get_by_role("link", name="KPI groups").click()
        await expect(page.locator("tbody tr").first).to_be_visible()
        # The form has a control for each variable, of its type.
        await page.get_by_label("By", exact=True).first.select_option("QUALIFICATION")
        await page.locator("summary", has_text="More conditions").click()
        assert await page.get_by_label("Started from").get_attribute("type") == "date"
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.locator("tbody")).to_contain_text("Qualification_")
        found = await cells(page, "KPIs: learner count")
        await page.get_by_role("button", name="KPIs: learner count").click()
        await expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
        assert await cells(page, "KPIs: learner count") == sorted(found, key=int, reverse=True)
        await page.get_by_label("Filter the rows").fill("mathematics")
        await expect(page.locator(".result[role=status]")).to_contain_text(f"of {len(found)}")
        assert all("mathematics" in label.lower() for label in await cells(page, "Label"))
        # The address has the choices: opened again, it shows the same.
        address = page.url
        assert "by=QUALIFICATION" in address and "_sort=-kpiGroups" in address and "_filter=mathematics" in address
        async with page.expect_download() as started:
            await page.get_by_role("button", name="Download CSV").click()
        await (await started.value).save_as(tmp_path / "groups.csv")
        rows = list(csv.DictReader(io.StringIO((tmp_path / "groups.csv").read_text("utf-8-sig"))))
        assert [row["kpiGroups.kpis.learnerCount"] for row in rows] == found
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_role("button", name="Copy the address for a spreadsheet").click()
        await expect(page.locator("#announcement")).to_have_text("Copied.")
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{running.address}/reports/kpi_groups.csv?by=QUALIFICATION"
        await page.reload()
        await expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
        assert await page.get_by_label("Filter the rows").input_value() == "mathematics"
        # The employer app on the same device has a session of its own.
        await page.goto(f"{running.address}/kpi/")
        await expect(page.get_by_label("Username")).to_be_visible()


@pytest.mark.long
@needs_charts
@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.long)], ids=["light", "dark"])
async def test_each_kind_of_chart_is_drawn_with_its_table(running: RunningServer, browser: Browser, dark: bool):
    kinds = {
        "kpi_history": ("KPI history", "Traffic lights over time", "path"),
        "kpi_groups": ("KPI groups", "Traffic lights by group", "rect"),
        "sign_off_funnel": ("Sign off funnel", "Funnel over all rows", "rect"),
        "progress_map?learnerId=Learner_1": ("Progress map", "Heat map of criteria", "rect"),
        "overdue_actions": ("Overdue actions", "Bars by group", "rect"),
        "kpi_history?since=2026-01-01&_chart=lines": ("KPI history", "One number over time", "path"),
    }
    async with page_of(browser, running, "master.admin", color_scheme="dark" if dark else "light") as page:
        for report, (heading, chart, mark) in kinds.items():
            await go(page, report, heading)
            await expect(page.locator("#view-chart option:checked")).to_have_text(chart)
            drawing = page.get_by_role("img")
            assert "which the table below lists" in (await drawing.get_attribute("aria-label") or "")
            assert await drawing.locator(mark).count() > 2
            assert (report, await violations(page)) == (report, [])


@pytest.mark.long
@needs_charts
async def test_bars_count_a_value_that_several_rows_repeat_once(running: RunningServer, browser: Browser):
    async with page_of(browser, running, "master.admin") as page:
        await go(page, "learners_off_track?_measure=overdueActionCount&_group=name", "Learners off track")
        once = dict(zip(await cells(page, "Name"), await cells(page, "Overdue action count"), strict=True))
        drawn = await page.evaluate(
            "() => [...document.querySelectorAll('figure g[text-anchor=start] text')].map(e => e.textContent)"
        )
        assert sorted(drawn, key=int) == sorted(once.values(), key=int)
        assert len(await cells(page, "Name")) > len(once)


@pytest.mark.long
async def test_it_fits_a_phone_and_prints_whole(running: RunningServer, browser: Browser):
    device = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True}
    async with page_of(browser, running, "employer.overview", **device) as page:
        assert await overflowing(page) == []
        await go(page, "site_comparison", "Site comparison")
        assert await overflowing(page) == [] and await violations(page) == []
        await page.emulate_media(media="print")
        assert await page.locator(".no-print:visible").count() == 0
        await expect(page.locator("tbody tr").first).to_be_visible()


@pytest.mark.long
async def test_a_file_is_ordered_and_a_schedule_made_stopped_and_started_again(
    own_running: RunningServer, browser: Browser, tmp_path: Path
):
    device = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True}
    async with page_of(browser, own_running, "master.admin", **device) as page:
        await go(page, "kpi_groups?by=QUALIFICATION&filter.statuses=IN_TRAINING", "KPI groups")
        found = await cells(page, "Label")
        await page.get_by_label("Format").select_option("CSV")
        await page.get_by_role("button", name="Make one file now").click()
        link = page.get_by_role("link", name=f"Download KPI groups as CSV, {len(found)} rows")
        await expect(link).to_be_visible(timeout=90_000)
        async with page.expect_download() as started:
            await link.click()
        await (await started.value).save_as(tmp_path / "groups.csv")
        rows = list(csv.DictReader(io.StringIO((tmp_path / "groups.csv").read_text("utf-8-sig"))))
        assert [row["kpiGroups.label"] for row in rows] == found
        await page.get_by_label("How often").select_option("DAY")
        await page.get_by_role("button", name="E-mail me this").click()
        made = page.get_by_role("listitem").filter(has_text="CSV, every day")
        await expect(made).to_contain_text("(by QUALIFICATION, filter.statuses IN_TRAINING)")
        await expect(made).to_contain_text("Next: ")
        assert await overflowing(page) == [] and await violations(page) == []
        await made.get_by_role("button", name="Stop: KPI groups").click()
        await expect(made).to_contain_text("Stopped.")
        await made.get_by_role("button", name="Start again").click()
        await expect(made).to_contain_text("Next: ")
        await expect(made).to_have_count(1)
        # The list of reports has what was ordered of all of them, with the conditions.
        await page.evaluate("location.hash = '#/'")
        await expect(page.get_by_role("heading", name="Your files and schedules")).to_be_visible()
        assert await overflowing(page) == [] and await violations(page) == []
        await made.get_by_role("link", name="KPI groups").click()
        await expect(page.locator("tbody tr").first).to_be_visible()
        assert await cells(page, "Label") == found
        # What is wrong is said where it was ordered.
        await page.evaluate("location.hash = '#/progress_map'")
        await expect(page.get_by_role("heading", level=1, name="Progress map")).to_be_visible()
        await page.get_by_role("button", name="Make one file now").click()
        await expect(page.locator(".orders [role=alert]")).to_contain_text("JSON object with the variables")


@pytest.mark.long
async def test_what_is_wrong_is_said_at_its_field(running: RunningServer, browser: Browser):
    async with page_of(browser, running, "master.admin", expected="400 (Bad Request)") as page:
        await page.evaluate("location.hash = '#/overdue_actions?employerId=Employer_999'")
        await expect(page.get_by_role("alert").first).to_contain_text("no such record, or you may not see it")
        assert await page.get_by_label("Employer").get_attribute("aria-invalid") == "true"
        assert await violations(page) == []


@pytest.mark.long
async def test_without_the_chart_library_the_table_is_there(running: RunningServer, browser: Browser):
    async with page_of(browser, running, "master.admin") as page:
        await page.goto("about:blank")
        await page.route("**/reports/", without_charts)
        await page.goto(f"{running.address}/reports/#/site_comparison")
        await expect(page.get_by_text("Charts are not installed on this server")).to_be_visible()
        await expect(page.locator("tbody tr").first).to_be_visible()


async def without_charts(route: Any) -> None:
    """Answers with the page of a server on which the library is not installed."""
    html = (ROOT / "reports/index.html").read_text().replace("{files}", "")
    await route.fulfill(status=200, body=html, content_type="text/html")

"""Alert rules and the dashboard: Prometheus accepts and tests them, and a real server has every metric they name."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.reverse_proxies import DEPLOY
from tests.support.server_process import free_port, server_process

PROMTOOL = shutil.which("promtool")
ALERTS = (DEPLOY / "prometheus" / "alerts.yml").read_text()
DASHBOARD = json.loads((DEPLOY / "grafana" / "waymark.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
NAME = re.compile(r"\b(?:waymark|process)_\w+")
JOB = re.compile(r'job="(\w+)"')
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def promtool(*words: str | Path) -> None:
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_accepts_the_rules_and_the_configuration() -> None:
    promtool("check", "rules", DEPLOY / "prometheus" / "alerts.yml")
    promtool("check", "config", DEPLOY / "prometheus" / "prometheus.yml")


@needs_promtool
def test_each_alert_is_raised_by_its_fault_only() -> None:
    promtool("test", "rules", DEPLOY / "prometheus" / "alerts_test.yml")
    tests = (DEPLOY / "prometheus" / "alerts_test.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", ALERTS):
        assert f"alertname: {alert}}}" in tests and f'alertname="{alert}"' in tests, alert


@needs_promtool
def test_prometheus_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m").replace("$instance", ".*")}
        for number, query in enumerate(QUERIES)
    ]
    # JSON is YAML too.
    (tmp_path / "queries.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "queries.yml")


async def test_a_server_has_every_metric_that_is_named(demo: Demo, tmp_path: Path) -> None:
    port = free_port()
    async with server_process(
        await demo.copied("sqlite", tmp_path), tmp_path, WAYMARK_METRICS=f"127.0.0.1:{port}"
    ) as server:
        async with server.signed_in("master.admin") as person:
            await person.data("{ viewer { role } }")
        async with httpx2.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    served = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    served |= {f"{name}{suffix}" for name in served for suffix in ("_bucket", "_sum", "_count")}
    expressions = "\n".join([*QUERIES, ALERTS.replace("alert:", "")])
    named = set(NAME.findall(expressions))
    assert len(named) > 10
    assert named <= served
    labels = set(re.findall(r"\b(\w+)=", re.sub(r'"[^"]*"', "", "\n".join(re.findall(r"\{([^{}]*)\}", expressions)))))
    assert labels <= set(re.findall(r'[{,](\w+)="', text)) | {"job", "instance", "severity", "coordinate"}


def test_the_panels_have_titles_units_and_places() -> None:
    assert len(DASHBOARD["panels"]) >= 12
    assert len({panel["title"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["fieldConfig"]["defaults"]["unit"] and panel["description"] for panel in DASHBOARD["panels"])


def test_the_pages_name_the_job_and_the_files() -> None:
    scraped = re.findall(r"job_name: (\w+)", (DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert set(JOB.findall(ALERTS)) == set(scraped)
    page = (ROOT / "docs" / "operations.md").read_text()
    for path in re.findall(r"`(deploy/[\w./@-]+)`", page):
        assert (ROOT / path).exists(), path
    assert "deploy/prometheus/alerts.yml" in page and "deploy/grafana/waymark.json" in page

"""The demo: two providers with made-up people and records, and cohorts of any size for measurements."""

from services.demo.accounts import PASSWORD, DemoAccount
from services.demo.builder import DemoExists, build_demo
from services.demo.cohort import build_cohort

__all__ = ["PASSWORD", "DemoAccount", "DemoExists", "build_cohort", "build_demo"]

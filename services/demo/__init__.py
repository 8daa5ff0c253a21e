"""The demo world and cohorts of any size: content of our own words, sample files, and the people and records."""

from services.demo.builder import DemoExists, build_demo
from services.demo.cohort import build_cohort
from services.demo.people import DemoSignIn
from services.demo.texts import PASSWORD

__all__ = ["PASSWORD", "DemoExists", "DemoSignIn", "build_cohort", "build_demo"]

"""The demo world and cohorts of any size: content of our own words, sample files, and the people and records."""

from db.demo.cohort import build_cohort
from db.demo.people import DemoSignIn
from db.demo.words import PASSWORD
from db.demo.world import DemoExists, build_demo

__all__ = ["PASSWORD", "DemoExists", "DemoSignIn", "build_cohort", "build_demo"]

"""The demo world and cohorts of any size: content of our own words, sample files, and the people and records."""

"""Timings beside what a user would choose instead; the tables of `README.md` are what these scripts print.

Nothing here is a test: `tests/` has those.
"""

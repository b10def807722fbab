"""Assays for the tests of the suite: rows at known times, requests, and figures that follow from the rows."""

"""Rows for the tests of the suite: deploying what scores them, sending them, and checking the answers and the logs."""

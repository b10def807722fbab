"""Scoring batches of rows: cut into requests, sent several at a time, with the results in order."""

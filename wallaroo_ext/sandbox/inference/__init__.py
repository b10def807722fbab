"""Scoring rows: the queue, the answers, the log."""

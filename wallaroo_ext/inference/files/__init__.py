"""Rows from files: Arrow, Parquet, JSON, and CSV, whose texts get the type that they have in common."""

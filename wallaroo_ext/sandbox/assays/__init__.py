"""Assays: windows, bins, scores, and what is due."""

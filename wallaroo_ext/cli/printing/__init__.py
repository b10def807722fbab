"""What the commands print and write: tables, progress, JSON, errors, files."""

"""The output of the commands: tables, progress, JSON, errors, files."""

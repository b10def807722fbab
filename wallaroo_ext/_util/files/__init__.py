"""Files: written whole or not at all, locked, found by the paths that people write, and read as YAML."""

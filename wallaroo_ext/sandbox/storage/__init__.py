"""The data directory: its database, its model files, its clock."""

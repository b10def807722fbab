"""The forms that rows have in files: telling them apart, and reading those that are not CSV."""

"""The results of assays, as a table and as a chart."""

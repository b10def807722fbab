"""Arrow within memory bounds: its files in memory, how much they expand to, and pyarrow without pandas."""

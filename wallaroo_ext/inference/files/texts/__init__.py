"""How the texts in files of rows are written: their encoding, and the separators of CSV."""

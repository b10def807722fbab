"""Opening files of rows, wherever they are: paths, URLs, open files, pipes; compressed or not."""

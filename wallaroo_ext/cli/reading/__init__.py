"""What people give a command: files and columns of rows, bodies of requests, options of file systems."""

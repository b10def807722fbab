"""What is written and counted of requests: the access log, its writer, and the number of requests by status."""

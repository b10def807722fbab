"""The sandbox as a program: starting and ending it, its web application, TLS, and its docs page."""

"""The sandbox as a program: start, routes, options, TLS, its page."""

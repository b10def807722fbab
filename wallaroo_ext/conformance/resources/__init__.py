"""Makes the things that a run needs on the instance, and ends them."""

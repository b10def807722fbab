"""The logs of pipelines: the rows that they scored, by whichever operation an instance serves them."""

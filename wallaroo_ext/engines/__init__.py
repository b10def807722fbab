"""Scoring on a cluster that is there already: adapters for Spark (`engines.spark`) and Ray Data (`engines.ray`).

Each is a small adapter around the core of `infer_batches`; who schedules, retries tasks and writes is the cluster's
engine. Both build plans that run later, in processes of the engine, and so have no asynchronous form.
"""

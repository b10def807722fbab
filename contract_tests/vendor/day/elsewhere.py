"""What the SDK also does, and what is no part of the MLOps API that the contract describes."""

from __future__ import annotations

from contract_tests.vendor.day.calls import Calls, Day, both, equal

ELSEWHERE = Calls()
_NOT_THERE = "{} are no part of the contract, nor of the sandbox"


@ELSEWHERE.add("Pipeline.publish()", "publishes a pipeline", "an id", **both(_NOT_THERE.format("published pipelines")))
def publish(day: Day) -> None:
    equal(type(day["pipeline"].publish().id), int)


@ELSEWHERE.add("Pipeline.list_edges()", "lists edges", "none", **both(_NOT_THERE.format("edges")))
def list_edges(day: Day) -> None:
    equal(list(day["pipeline"].list_edges()), [])


@ELSEWHERE.add("Client.list_orchestrations()", "lists them", "none", **both(_NOT_THERE.format("orchestrations")))
def list_orchestrations(day: Day) -> None:
    equal(list(day.client.list_orchestrations()), [])


@ELSEWHERE.add("Client.list_tasks()", "lists them", "none", **both(_NOT_THERE.format("tasks")))
def list_tasks(day: Day) -> None:
    equal(list(day.client.list_tasks()), [])


@ELSEWHERE.add("Client.list_connections()", "lists them", "none", **both(_NOT_THERE.format("connections")))
def list_connections(day: Day) -> None:
    equal(list(day.client.list_connections()), [])


@ELSEWHERE.add("Client.list_model_registries()", "lists them", "none", **both(_NOT_THERE.format("model registries")))
def list_model_registries(day: Day) -> None:
    equal(list(day.client.list_model_registries()), [])

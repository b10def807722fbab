"""Pipelines: built, deployed, found, scaled, with several steps, and deployed again with another version."""

from __future__ import annotations

from typing import Any

import pandas as pd

from contract_tests.vendor.day.calls import ABSENT, Calls, Day, among, equal, numbers, sdk

PIPELINES, STEPS = Calls(), Calls()
ROWS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def frame() -> pd.DataFrame:
    """Return rows whose sums are 6 and 15."""
    return pd.DataFrame({"tensor": ROWS})


def replicas(count: int) -> Any:
    """Return the configuration of a deployment with so many engines."""
    return sdk().DeploymentConfigBuilder().replica_count(count).cpus(1).memory("1Gi").build()


@PIPELINES.add("Client.build_pipeline(name)", "makes a pipeline", "a pipeline of that name")
def build_pipeline(day: Day) -> None:
    day["pipeline"] = day.client.build_pipeline("scoring")
    equal(day["pipeline"].name(), "scoring")


@PIPELINES.add("Pipeline.add_model_step(version)", "adds a step", "a step with that version of the model")
def add_model_step(day: Day) -> None:
    day["pipeline"].add_model_step(day["sums"])
    [step] = day["pipeline"].steps()
    equal(step.to_json()["ModelInference"]["models"][0]["version"], day["sums"].version())


@PIPELINES.add("Pipeline.deploy()", "deploys it, and waits", "a deployment that runs")
def deploy(day: Day) -> None:
    day["pipeline"].deploy()
    equal(day["pipeline"].status()["status"], "Running")


@PIPELINES.add("Pipeline.status()", "looks at the engines", "an engine that runs, with the pipeline and the model")
def status(day: Day) -> None:
    [engine] = day["pipeline"].status()["engines"]
    equal(engine["pipeline_statuses"]["pipelines"][0]["id"], "scoring")
    equal(engine["model_statuses"]["models"][0]["sha"], day["sums"].sha())


@PIPELINES.add("Pipeline.versions()", "lists its versions", "versions with names of their own, the newest first")
def versions(day: Day) -> None:
    names = [version.name() for version in day["pipeline"].versions()]
    equal(len(set(names)), len(names))
    ids = [version.id() for version in day["pipeline"].versions()]
    equal(ids, sorted(ids, reverse=True))


@PIPELINES.add("PipelineVersion.definition()", "reads a version", "the step, as it was built")
def definition(day: Day) -> None:
    steps = day["pipeline"].versions()[0].definition()["steps"]
    equal(steps[0]["ModelInference"]["models"][0]["name"], "sums")


@PIPELINES.add("Pipeline.get_external_url()", "asks for the URL", "a URL of the sandbox", old=ABSENT)
def get_external_url(day: Day) -> None:
    day["url"] = day["pipeline"].get_external_url()
    among(day.environment["WALLAROO_API_URL"], day["url"])


@PIPELINES.add("Pipeline.url()", "asks for the URL", "a URL with the pipeline's name")
def url(day: Day) -> None:
    among("scoring", day["pipeline"].url())


@PIPELINES.add("Client.list_pipelines()", "lists pipelines", "the one of the day")
def list_pipelines(day: Day) -> None:
    equal([pipeline.name() for pipeline in day.client.list_pipelines()], ["scoring"])


@PIPELINES.add("Client.get_pipeline(name)", "finds a pipeline", "its id", old=ABSENT)
def get_pipeline(day: Day) -> None:
    equal(day.client.get_pipeline("scoring").id(), day["pipeline"].id())


@PIPELINES.add("Client.pipelines_by_name(name)", "finds pipelines", "its id")
def pipelines_by_name(day: Day) -> None:
    equal([pipeline.id() for pipeline in day.client.pipelines_by_name("scoring")], [day["pipeline"].id()])


@PIPELINES.add("Workspace.pipelines()", "lists a workspace's pipelines", "the one of the day")
def workspace_pipelines(day: Day) -> None:
    equal([pipeline.name() for pipeline in day["workspace"].pipelines()], ["scoring"])


@PIPELINES.add("Client.search_pipelines(search_term)", "searches pipelines", "the versions of the one of that name")
def search_pipelines(day: Day) -> None:
    found = {version.id() for version in day.client.search_pipelines("scoring")}
    equal(found, {version.id() for version in day["pipeline"].versions()})
    equal(day.client.search_pipelines("nothing of that name"), [])


@PIPELINES.add("Client.search_pipelines(deployed=True)", "searches what runs", "versions of the day's pipeline")
def search_deployed_pipelines(day: Day) -> None:
    found = day.client.search_pipelines(deployed=True)
    equal({version.pipeline().id() for version in found}, {day["pipeline"].id()})
    equal(day.client.search_pipelines(deployed=False), [])


@PIPELINES.add("Client.list_deployments()", "lists deployments", "the one that runs")
def list_deployments(day: Day) -> None:
    equal([(each.name(), each.deployed()) for each in day.client.list_deployments()], [("scoring", True)])


@PIPELINES.add("Client.deployment_by_name(name)", "finds a deployment", "one that runs the pipeline")
def deployment_by_name(day: Day) -> None:
    found = day.client.deployment_by_name("scoring")
    equal((found.deployed(), found.pipeline_versions()[0].id()), (True, day["pipeline"].versions()[0].id()))


@STEPS.add("Pipeline.deploy(deployment_config=…) with two engines", "scales up", "a deployment that runs")
def scale_up(day: Day) -> None:
    day["pipeline"].deploy(deployment_config=replicas(2))
    equal(day["pipeline"].status()["status"], "Running")


@STEPS.add("Deployment.engine_config()", "reads its configuration", "two engines")
def engine_config(day: Day) -> None:
    deployment = day.client.deployment_by_name("scoring")
    deployment.name()  # the SDK asks for the configuration with the name, and not by itself
    equal(deployment.engine_config()["engine"]["replicas"], 2)


@STEPS.add("Pipeline.deploy(deployment_config=…) with one engine", "scales down", "one engine, in the same deployment")
def scale_down(day: Day) -> None:
    before = day.client.deployment_by_name("scoring").id()
    day["pipeline"].deploy(deployment_config=replicas(1))
    equal(len(day["pipeline"].status()["engines"]), 1)
    equal(day.client.deployment_by_name("scoring").id(), before)


@STEPS.add("Pipeline.replace_with_model_step(0, version)", "deploys another version", "twice the sums")
def redeploy(day: Day) -> None:
    day["pipeline"].replace_with_model_step(0, day["doubled"]).deploy()
    equal(numbers(day["pipeline"].infer(frame())["out.total"]), [12.0, 30.0])


@STEPS.add("Pipeline.clear()", "goes back to the first version", "the sums")
def go_back(day: Day) -> None:
    day["pipeline"].clear().add_model_step(day["sums"]).deploy()
    equal(numbers(day["pipeline"].infer(frame())["out.total"]), [6.0, 15.0])


@STEPS.add("Pipeline.add_model_step(version) twice", "deploys a chain", "half of the sums")
def chain(day: Day) -> None:
    day["chain"] = day.client.build_pipeline("chain").add_model_step(day["sums"]).add_model_step(day["halves"])
    day["chain"].deploy()
    equal(numbers(day["chain"].infer(frame())["out.half"]), [3.0, 7.5])


@STEPS.add(
    "Pipeline.add_shadow_deploy(champion, [challenger])", "deploys a shadow", "sums, and the challenger's beside"
)
def shadow(day: Day) -> None:
    day["shadow"] = day.client.build_pipeline("shadow").add_shadow_deploy(day["sums"], [day["doubles"]])
    day["shadow"].deploy()
    scored = day["shadow"].infer(frame())
    equal(numbers(scored["out.total"]), [6.0, 15.0])
    equal(numbers(scored["out_doubles.total"]), [12.0, 30.0])


@STEPS.add("Pipeline.add_random_split([(weight, version), …])", "splits by chance", "sums or twice the sums, and whose")
def random_split(day: Day) -> None:
    models = [(1.0, day["sums"]), (1.0, day["doubles"])]
    day["split"] = day.client.build_pipeline("split").add_random_split(models)
    day["split"].deploy()
    scored = day["split"].infer(frame())
    among(numbers(scored["out.total"]), ([6.0, 15.0], [12.0, 30.0]))
    among("out._model_split", scored.columns)


@STEPS.add("Pipeline.add_key_split(default, key, {value: version})", "splits by a key", "the default model's sums")
def key_split(day: Day) -> None:
    keyed = day.client.build_pipeline("keyed").add_key_split(day["sums"], "kind", {"other": day["doubles"]})
    day["keyed"] = keyed
    keyed.deploy()
    equal(numbers(keyed.infer(frame())["out.total"]), [6.0, 15.0])


@STEPS.add("Pipeline.create_version()", "keeps a version without deploying it", "a further version")
def create_version(day: Day) -> None:
    before = {version.id() for version in day["chain"].versions()}
    created = day["chain"].create_version()
    [found] = day.client.pipelines_by_name("chain")
    equal({version.id() for version in found.versions()}, before | {created.id()})
    equal(created.id() in before, False)


@STEPS.add("Pipeline.undeploy()", "undeploys", "a deployment that is gone")
def undeploy_others(day: Day) -> None:
    for name in ("chain", "shadow", "split", "keyed"):
        day[name].undeploy()
    running = {each.name() for each in day.client.list_deployments() if each.deployed()}
    equal(running, {"scoring"})

"""Tags: made, put on models and pipelines, searched for, and taken off."""

from __future__ import annotations

from contract_tests.vendor.day.calls import Calls, Day, equal

TAGS = Calls()


@TAGS.add("Client.create_tag(text)", "makes a tag", "a tag with that text")
def create_tag(day: Day) -> None:
    day["tag"] = day.client.create_tag("of-the-day")
    equal(day["tag"].tag(), "of-the-day")


@TAGS.add("Client.list_tags()", "lists tags", "the one just made")
def list_tags(day: Day) -> None:
    equal([tag.tag() for tag in day.client.list_tags()], ["of-the-day"])


@TAGS.add("Tag.add_to_model(id)", "tags a model", "the tag, among the model's")
def add_to_model(day: Day) -> None:
    day["tag"].add_to_model(day["sums"].id())
    version = day.client.model_by_name("sums", day["sums"].version())
    equal([tag.tag() for tag in version.tags()], ["of-the-day"])


@TAGS.add("Tag.list_model_versions()", "lists a tag's models", "the one that has it")
def list_model_versions(day: Day) -> None:
    equal([version.id() for version in day["tag"].list_model_versions()], [day["sums"].id()])


@TAGS.add("Tag.add_to_pipeline(id)", "tags a pipeline", "the tag, among the pipeline's")
def add_to_pipeline(day: Day) -> None:
    day["tag"].add_to_pipeline(day["pipeline"].id())
    [pipeline] = day.client.pipelines_by_name("scoring")
    equal([tag.tag() for tag in pipeline.tags()], ["of-the-day"])


@TAGS.add("Tag.list_pipelines()", "lists a tag's pipelines", "the one that has it")
def list_pipelines(day: Day) -> None:
    equal([pipeline.id() for pipeline in day["tag"].list_pipelines()], [day["pipeline"].id()])


@TAGS.add("Client.search_models(tag)", "searches by a tag", "the version that has it")
def search_by_tag(day: Day) -> None:
    equal([version.id() for version in day.client.search_models("of-the-day")], [day["sums"].id()])


@TAGS.add("Tag.remove_from_model(id)", "takes a tag off a model", "no model with it")
def remove_from_model(day: Day) -> None:
    day["tag"].remove_from_model(day["sums"].id())
    equal(day["tag"].list_model_versions(), [])


@TAGS.add("Tag.remove_from_pipeline(id)", "takes a tag off a pipeline", "no pipeline with it")
def remove_from_pipeline(day: Day) -> None:
    day["tag"].remove_from_pipeline(day["pipeline"].id())
    equal(day["tag"].list_pipelines(), [])

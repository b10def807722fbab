"""Does a run that may make nothing find what is there to be read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_mlops_client.api.inference import get_topic_name
from wallaroo_mlops_client.api.pipelines import create_pipeline
from wallaroo_mlops_client.models import CreatePipelineRequest, GetTopicNameRequest, PipelineDefinition

from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import call, connect, upload_model
from wallaroo_ext.conformance.resources.fixtures import find_fixtures

if TYPE_CHECKING:
    from pathlib import Path


def test_of_what_is_there_a_model_and_a_pipeline_are_read(model_file: Path) -> None:
    with running() as environment, connect(environment=environment) as client:
        version = upload_model(client, model_file, name="of-somebody", workspace=1)
        empty = CreatePipelineRequest(pipeline_id="of-somebody", workspace_id=1, definition=PipelineDefinition())
        pipeline = call(create_pipeline, client=client, body=empty).pipeline_pk_id
        found = find_fixtures(client)
        topic = call(get_topic_name, client=client, body=GetTopicNameRequest(pipeline_pk_id=pipeline)).topic_name
    assert found.withheld == ""
    assert (found.workspace_id, found.model_id, found.version_id) == (1, version.models_pk_id, version.id)
    assert found.model == {"name": "of-somebody", "version": version.model_version, "sha": version.sha}
    assert (found.pipeline_id, found.topic) == (pipeline, topic)
    assert topic

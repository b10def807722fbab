"""Does GraphQL answer what the vendor's SDK asks, as the user whose token a request has, and within its limits?"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from graphql import build_client_schema, get_introspection_query, get_named_type, is_leaf_type, parse, validate

from contract_tests.support.sandbox.deployments import deployed as deploy_anew
from contract_tests.support.sandbox.steering import assay, day, seed_pipeline, seed_rows, steer
from contract_tests.support.servers.callers import invited, new_workspace, post, sign_in, user_token, with_token
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import upload_model
from wallaroo_ext.sandbox.auth.users import find_user_by_email
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.paths import GRAPHQL
from wallaroo_ext.sandbox.platform import graphql_requests
from wallaroo_ext.sandbox.platform.selection import Reader

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import httpx
    from wallaroo_mlops_client import Client

WORKSPACE_BY_ID = """
query W($id: bigint!) {
  workspace_by_pk(id: $id) {
    id name archived created_at created_by
    users { user_id }
    models(order_by: {updated_at: desc}) { id models { id } }
    pipelines { id }
  }
}
"""
MODEL_BY_ID = """
query M($id: bigint!) {
  model_by_pk(id: $id) {
    id created_on_version model_id model_version models_pk_id sha status error_summary file_name image_path updated_at
    visibility model_tags { tag { id tag } }
    arch: conversion(path: "arch") accel: conversion(path: "accel")
    model { workspace { id name } }
  }
}
"""
PIPELINE_BY_ID = """
query P($id: bigint!) {
  pipeline_by_pk(id: $id) {
    id pipeline_id created_at updated_at visibility owner_id
    pipeline_versions(order_by: {id: desc}) { id version definition pipeline_publishes { id status } }
    pipeline_tags { tag { id tag } }
    workspace { id name }
    deployment { id deploy_id deployed engine_config deployment_model_configs { model_config { id model { id } } } }
  }
}
"""
SEARCH_MODELS = """
query S($text: String!, $workspace: bigint!, $since: timestamptz!) {
  search_models(
    args: {search: $text}
    where: {_and: [{model: {workspace: {id: {_eq: $workspace}}}}, {created_at: {_gte: $since}}]}
    order_by: {created_at: desc}
  ) { id }
}
"""
SEARCH_PIPELINES = """
query S($text: String!, $deployed: Boolean) {
  search_pipelines(
    args: {search: $text} distinct_on: id
    where: {pipeline: {deployment: {deployed: {_eq: $deployed}}}} order_by: {id: desc}
  ) { id pipeline { id pipeline_tags { tag { tag } } workspace { name } } }
}
"""
EVERYTHING = (
    "workspace",
    "workspace_users",
    "user_default_workspace",
    "models",
    "model",
    "model_config",
    "pipeline",
    "pipeline_version",
    "deployment",
    "deployment_pipeline_version",
    "deployment_model_configs",
    "model_tag",
    "pipeline_tag",
    "assay",
)


def ask(http: httpx.Client, query: str, **variables: Any) -> Any:
    """Send a query. Returns the data of its answer."""
    answer = http.post(GRAPHQL, json={"query": query, "variables": variables})
    assert answer.status_code == 200
    assert "errors" not in answer.json(), answer.json()["errors"]
    return answer.json()["data"]


def errors(http: httpx.Client, query: str, **variables: Any) -> list[dict[str, Any]]:
    """Send a query that fails. Returns the errors of its answer, which has no data."""
    answer = http.post(GRAPHQL, json={"query": query, "variables": variables})
    assert answer.status_code == 200
    assert set(answer.json()) == {"errors"}
    return answer.json()["errors"]


@pytest.fixture
def deployed(http: httpx.Client, client: Client, workspace_id: int, model_file: Path) -> dict[str, Any]:
    """Deploy a small model as a step of a pipeline. Returns the pipeline by GraphQL."""
    name = f"p-{uuid.uuid4().hex}"
    upload_model(client, model_file, name=name, workspace=workspace_id)
    [version] = post(http, "list_model_versions", {"model_id": name}).json()
    model = {"name": name, "version": version["model_version"], "sha": version["sha"]}
    steps = [{"ModelInference": {"models": [model]}}]
    body = {"pipeline_id": name, "workspace_id": workspace_id, "definition": {"steps": steps}}
    made = post(http, "create_pipeline", body).json()
    post(http, "deploy_pipeline", {"deploy_id": name, "pipeline_version_pk_id": made["pipeline_variant_pk_id"]})
    return ask(http, PIPELINE_BY_ID, id=made["pipeline_pk_id"])["pipeline_by_pk"]


class TestQueries:
    def test_a_workspace_has_its_members_models_and_pipelines(self, http: httpx.Client) -> None:
        workspace_id = new_workspace(http)
        found = ask(http, WORKSPACE_BY_ID, id=workspace_id)["workspace_by_pk"]
        listed = {each["id"]: each for each in post(http, "list_workspaces", {}).json()["workspaces"]}
        assert {name: found[name] for name in ("id", "name", "archived", "created_at")} == {
            name: listed[workspace_id][name] for name in ("id", "name", "archived", "created_at")
        }
        members = post(http, "list_workspace_users", {"workspace_id": workspace_id}).json()["users"]
        assert found["users"] == [{"user_id": each["user_id"]} for each in members]
        assert (found["models"], found["pipelines"]) == ([], [])

    def test_an_id_may_be_sent_as_a_text(self, http: httpx.Client) -> None:
        workspace_id = new_workspace(http)
        assert ask(http, WORKSPACE_BY_ID, id=str(workspace_id))["workspace_by_pk"]["id"] == workspace_id

    def test_the_default_workspace_is_the_user_s_own(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        query = "{ user_default_workspace { user_id workspace { name users { user_id } } } }"
        [found] = ask(http, query)["user_default_workspace"]
        assert found["workspace"]["name"] == f"{sandbox['WALLAROO_USER']} - Default Workspace"
        assert found["workspace"]["users"] == [{"user_id": found["user_id"]}]

    def test_a_pipeline_has_its_versions_and_what_is_deployed(
        self, http: httpx.Client, deployed: dict[str, Any]
    ) -> None:
        [version] = deployed["pipeline_versions"]
        assert version["definition"]["steps"]
        assert version["pipeline_publishes"] == deployed["pipeline_tags"] == []
        deployment = deployed["deployment"]
        assert (deployment["deploy_id"], deployment["deployed"]) == (deployed["pipeline_id"], True)
        assert deployment["engine_config"] == {}
        [config] = deployment["deployment_model_configs"]
        model = ask(http, MODEL_BY_ID, id=config["model_config"]["model"]["id"])["model_by_pk"]
        assert (model["status"], model["arch"], model["accel"]) == ("ready", "x86", "none")
        assert model["model"]["workspace"] == deployed["workspace"]

    def test_a_deployment_has_its_pipeline_and_version(self, http: httpx.Client, deployed: dict[str, Any]) -> None:
        query = """
        query D($id: bigint!) {
          deployment_by_pk(id: $id) {
            pipeline { pipeline_id }
            deployment_pipeline_versions(order_by: {pipeline_version: {id: desc}}) { pipeline_version { id } }
            deployment_model_configs_aggregate(distinct_on: deployment_id) { nodes { id } aggregate { count } }
          }
        }
        """
        found = ask(http, query, id=deployed["deployment"]["id"])["deployment_by_pk"]
        assert found["pipeline"] == {"pipeline_id": deployed["pipeline_id"]}
        [version] = found["deployment_pipeline_versions"]
        assert version["pipeline_version"]["id"] == deployed["pipeline_versions"][0]["id"]
        assert found["deployment_model_configs_aggregate"]["aggregate"] == {"count": 1}

    def test_versions_come_newest_first_unless_another_order_is_asked_for(
        self, http: httpx.Client, workspace_id: int, model_file: Path
    ) -> None:
        metadata = f'{{"name": "ordered", "visibility": "private", "workspace_id": {workspace_id}, "conversion": '
        for _ in range(2):
            parts = {
                "metadata": (None, metadata + '{"framework": "onnx", "arch": null}}', "application/json"),
                "file": ("twice.onnx", model_file.read_bytes(), "application/octet-stream"),
            }
            assert http.post("/v1/api/models/upload_and_convert", files=parts).is_success
        query = (
            '{ models(where: {name: {_eq: "ordered"}}) { models { id } older: models(order_by: {id: asc}) { id } } }'
        )
        [found] = ask(http, query)["models"]
        assert found["models"] == found["older"][::-1] != found["older"]
        first = ask(
            http,
            '{ model(where: {model_id: {_eq: "ordered"}}, order_by: {id: asc}, limit: 1, offset: 1) { id } }',
        )
        assert first["model"] == found["older"][1:]

    def test_a_search_finds_names_digests_and_tags(self, http: httpx.Client, deployed: dict[str, Any]) -> None:
        [config] = deployed["deployment"]["deployment_model_configs"]
        model_id, name = config["model_config"]["model"]["id"], deployed["pipeline_id"]
        model = ask(http, MODEL_BY_ID, id=model_id)["model_by_pk"]
        where = {"workspace": deployed["workspace"]["id"], "since": "2024-01-01T00:00:00+02:00"}
        for text in (model["model_id"].upper(), model["sha"], model["model_version"], model["file_name"]):
            assert {"id": model_id} in ask(http, SEARCH_MODELS, text=text, **where)["search_models"]
        assert ask(http, SEARCH_MODELS, text="none has this text", **where)["search_models"] == []
        later = where | {"since": "2100-01-01T00:00:00Z"}
        assert ask(http, SEARCH_MODELS, text=model["sha"], **later)["search_models"] == []
        for deployed_or_not, count in ((True, 1), (False, 0)):
            found = ask(http, SEARCH_PIPELINES, text=name, deployed=deployed_or_not)["search_pipelines"]
            assert [each["pipeline"]["id"] for each in found] == [deployed["id"]] * count

    def test_conditions_are_those_of_sql(self, http: httpx.Client) -> None:
        first, second = new_workspace(http), new_workspace(http)

        def found(where: str) -> set[int]:
            query = f"{{ workspace(where: {{_and: [{{id: {{_in: [{first}, {second}]}}}}, {where}]}}) {{ id }} }}"
            return {each["id"] for each in ask(http, query)["workspace"]}

        assert found(f"{{id: {{_neq: {first}}}}}") == {second}
        assert found(f"{{id: {{_gt: {first}, _lte: {second}}}}}") == {second}
        assert found(f"{{id: {{_nin: [{second}]}}}}") == {first}
        assert found(f"{{_not: {{id: {{_eq: {first}}}}}}}") == {second}
        assert found(f"{{_or: [{{id: {{_eq: {first}}}}}, {{archived: {{_eq: true}}}}]}}") == {first}
        assert found("{_or: []}") == set()
        assert found("{name: {_is_null: true}}") == set()
        assert found("{name: {_is_null: false}}") == {first, second}
        assert found('{users: {user_type: {_eq: "OWNER"}}}') == {first, second}

    def test_names_with_marks_of_sql_are_texts(self, http: httpx.Client) -> None:
        text = """it's "named" -- so; DROP TABLE tags"""
        insert = "mutation T($text: String!) { insert_tag(objects: {tag: $text}) { returning { id } } }"
        made = ask(http, insert, text=text)["insert_tag"]["returning"]
        query = "query T($text: String!) { tag(where: {tag: {_in: [$text]}}) { id } }"
        assert ask(http, query, text=text)["tag"] == made


class TestIntrospection:
    def test_the_schema_can_be_read_and_admits_what_the_sdk_sends(self, http: httpx.Client) -> None:
        schema = build_client_schema(ask(http, get_introspection_query()))
        for query in (WORKSPACE_BY_ID, MODEL_BY_ID, PIPELINE_BY_ID, SEARCH_MODELS, SEARCH_PIPELINES):
            assert validate(schema, parse(query)) == []

    def test_every_table_can_be_read(self, http: httpx.Client, deployed: dict[str, Any]) -> None:
        assert deployed
        found = ask(http, "{" + " ".join(f"{name} {{ __typename }}" for name in EVERYTHING) + "}")
        assert set(found) == set(EVERYTHING)

    def test_every_column_that_the_schema_names_can_be_read(self, http: httpx.Client, deployed: dict[str, Any]) -> None:
        assert deployed
        schema = build_client_schema(ask(http, get_introspection_query()))
        for name in EVERYTHING:
            fields: Any = schema.type_map[name]
            columns = [column for column, field in fields.fields.items() if is_leaf_type(get_named_type(field.type))]
            ask(http, f"{{ {name} {{ {' '.join(columns)} }} }}")


class TestPermissions:
    def test_another_user_sees_nothing_of_it(
        self, http: httpx.Client, sandbox: dict[str, str], deployed: dict[str, Any]
    ) -> None:
        [config] = deployed["deployment"]["deployment_model_configs"]
        ids = {
            "workspace": deployed["workspace"]["id"],
            "pipeline": deployed["id"],
            "pipeline_version": deployed["pipeline_versions"][0]["id"],
            "deployment": deployed["deployment"]["id"],
            "model": config["model_config"]["model"]["id"],
            "model_config": config["model_config"]["id"],
        }
        query = "{" + " ".join(f"{name}_by_pk(id: {number}) {{ id }}" for name, number in ids.items()) + "}"
        assert all(ask(http, query).values())
        with invited(sandbox, http) as (_, user_id, theirs):
            assert not any(ask(theirs, query).values())
            found = ask(theirs, "{" + " ".join(f"{name} {{ __typename }}" for name in EVERYTHING) + "}")
            own = {name for name, rows in found.items() if rows}
            public = {"model", "models", "model_config"}  # which other tests may have made
            assert own - public == {"workspace", "workspace_users", "user_default_workspace"}
            args = f'args: {{search: "{deployed["pipeline_id"]}"}}'
            search = f"{{ search_models({args}) {{ id }} search_pipelines({args}) {{ id }} }}"
            assert all(ask(http, search).values())
            assert not any(ask(theirs, search).values())
            post(http, "add_workspace_user", {"workspace_id": ids["workspace"], "user_id": user_id})
            assert all(ask(theirs, query).values())

    def test_everybody_sees_a_public_model_and_its_members_tag_it(
        self, http: httpx.Client, sandbox: dict[str, str], client: Client, model_file: Path
    ) -> None:
        workspace_id, name = new_workspace(http), f"m-{uuid.uuid4().hex}"
        version = upload_model(client, model_file, name=name, workspace=workspace_id, visibility="public")
        tags = ask(http, 'mutation { insert_tag(objects: {tag: "public"}) { returning { id } } }')["insert_tag"]
        tag = f"insert_model_tag(objects: {{model_id: {version.id}, tag_id: {tags['returning'][0]['id']}}})"
        with invited(sandbox, http) as (_, _, theirs):
            shown = ask(theirs, MODEL_BY_ID, id=version.id)["model_by_pk"]
            assert (shown["model_id"], shown["model"]["workspace"]) == (name, None)
            [error] = errors(theirs, f"mutation {{ {tag} {{ affected_rows }} }}")
            assert error["extensions"]["code"] == "permission-error"
        assert ask(http, f"mutation {{ {tag} {{ affected_rows }} }}")["insert_model_tag"] == {"affected_rows": 1}

    def test_a_condition_tells_nothing_of_rows_that_are_not_seen(
        self, http: httpx.Client, sandbox: dict[str, str]
    ) -> None:
        workspace_id = new_workspace(http)
        query = f"{{ workspace_users(where: {{workspace: {{id: {{_eq: {workspace_id}}}}}}}) {{ user_id }} }}"
        assert ask(http, query)["workspace_users"]
        with invited(sandbox, http) as (_, _, theirs):
            assert ask(theirs, query)["workspace_users"] == []

    @pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer no-token"}, {"Authorization": "Bearer a.b.c"}])
    def test_without_a_good_token_it_is_401_in_graphql_s_form(self, http: httpx.Client, header: dict[str, str]) -> None:
        del http.headers["Authorization"]
        answer = http.post(GRAPHQL, json={"query": "{ workspace { id } }"}, headers=header)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (401, "invalid-jwt")

    def test_a_client_without_a_user_sees_nothing(self, sandbox: dict[str, str]) -> None:
        token = sign_in(sandbox, grant_type="client_credentials").json()["access_token"]
        with with_token(sandbox, token) as http:
            assert http.post(GRAPHQL, json={"query": "{ workspace { id } }"}).status_code == 401


class TestTags:
    def test_a_tag_is_made_given_found_and_taken_away(self, http: httpx.Client, deployed: dict[str, Any]) -> None:
        [config] = deployed["deployment"]["deployment_model_configs"]
        model_id, pipeline_id = config["model_config"]["model"]["id"], deployed["id"]
        text = f"tag of {deployed['pipeline_id']}"
        create = "mutation T($text: String!) { insert_tag(objects: {tag: $text}) { returning { id tag } } }"
        [tag] = ask(http, create, text=text)["insert_tag"]["returning"]
        assert tag["tag"] == text
        give = f"""mutation {{
          insert_model_tag(objects: {{model_id: {model_id}, tag_id: {tag["id"]}}}) {{ returning {{ model_id tag_id }} }}
          insert_pipeline_tag(objects: {{pipeline_pk_id: {pipeline_id}, tag_pk_id: {tag["id"]}}}) {{ affected_rows }}
        }}"""
        given = ask(http, give)
        assert given["insert_model_tag"]["returning"] == [{"model_id": model_id, "tag_id": tag["id"]}]
        tagged = "model_tags { model { id } } pipeline_tags { pipeline { id } }"
        query = f"{{ tag_by_pk(id: {tag['id']}) {{ {tagged} }} }}"
        assert ask(http, query)["tag_by_pk"] == {
            "model_tags": [{"model": {"id": model_id}}],
            "pipeline_tags": [{"pipeline": {"id": pipeline_id}}],
        }
        found = ask(http, f'{{ search_models(args: {{search: "{text}"}}) {{ id }} }}')
        assert found["search_models"] == [{"id": model_id}]
        found = ask(http, f'{{ search_pipelines(args: {{search: "{text}"}}) {{ pipeline_pk_id }} }}')
        assert found["search_pipelines"] == [{"pipeline_pk_id": pipeline_id}]
        assert errors(http, give)[0]["extensions"]["code"] == "constraint-violation"
        take = f"""mutation {{
          delete_model_tag(where: {{_and: [{{model_id: {{_eq: {model_id}}}}}, {{tag_id: {{_eq: {tag["id"]}}}}}]}})
            {{ returning {{ model_id tag_id }} }}
          delete_pipeline_tag(where: {{pipeline_pk_id: {{_eq: {pipeline_id}}}}}) {{ affected_rows }}
        }}"""
        assert ask(http, take)["delete_pipeline_tag"] == {"affected_rows": 1}
        assert ask(http, query)["tag_by_pk"] == {"model_tags": [], "pipeline_tags": []}

    def test_nobody_tags_what_is_not_theirs(
        self, http: httpx.Client, sandbox: dict[str, str], deployed: dict[str, Any]
    ) -> None:
        [tag] = ask(http, 'mutation { insert_tag(objects: {tag: "mine"}) { returning { id } } }')["insert_tag"][
            "returning"
        ]
        give = f"insert_pipeline_tag(objects: {{pipeline_pk_id: {deployed['id']}, tag_pk_id: {tag['id']}}})"
        with invited(sandbox, http) as (_, _, theirs):
            [error] = errors(theirs, f"mutation {{ {give} {{ affected_rows }} }}")
            assert error["extensions"]["code"] == "permission-error"
            ask(http, f"mutation {{ {give} {{ affected_rows }} }}")
            take = f"delete_pipeline_tag(where: {{pipeline_pk_id: {{_eq: {deployed['id']}}}}})"
            assert (
                ask(theirs, f"mutation {{ {take} {{ affected_rows }} }}")["delete_pipeline_tag"]["affected_rows"] == 0
            )
        assert ask(http, f"{{ tag_by_pk(id: {tag['id']}) {{ pipeline_tags {{ id }} }} }}")["tag_by_pk"]["pipeline_tags"]

    def test_of_a_mutation_that_fails_nothing_stays(self, http: httpx.Client) -> None:
        mutation = """mutation {
          insert_tag(objects: {tag: "left over?"}) { affected_rows }
          insert_model_tag(objects: {model_id: 999999, tag_id: 1}) { affected_rows }
        }"""
        assert errors(http, mutation)
        assert ask(http, '{ tag(where: {tag: {_eq: "left over?"}}) { id } }')["tag"] == []


class TestChanges:
    def test_a_member_is_removed_and_the_last_owner_stays(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        workspace_id = new_workspace(http)
        mutation = """mutation R($user: String!, $workspace: bigint!) {
          delete_workspace_users(where: {user_id: {_eq: $user}, _and: {workspace_id: {_eq: $workspace}}})
            { affected_rows }
        }"""
        with invited(sandbox, http) as (_, user_id, theirs):
            post(http, "add_workspace_user", {"workspace_id": workspace_id, "user_id": user_id})
            removed = ask(http, mutation, user=user_id, workspace=workspace_id)["delete_workspace_users"]
            assert removed == {"affected_rows": 1}
            [owner] = post(http, "list_workspace_users", {"workspace_id": workspace_id}).json()["users"]
            nothing = ask(theirs, mutation, user=owner["user_id"], workspace=workspace_id)["delete_workspace_users"]
            assert nothing == {"affected_rows": 0}
        [error] = errors(http, mutation, user=owner["user_id"], workspace=workspace_id)
        assert "only owner" in error["message"]

    def test_a_deployment_is_ended_by_its_owner_only(
        self, http: httpx.Client, sandbox: dict[str, str], deployed: dict[str, Any]
    ) -> None:
        deployment = deployed["deployment"]
        mutation = f"""mutation {{
          update_deployment_by_pk(pk_columns: {{id: {deployment["id"]}}} _set: {{deployed: false}}) {{ id deployed }}
        }}"""
        with invited(sandbox, http) as (_, _, theirs):
            assert ask(theirs, mutation)["update_deployment_by_pk"] is None
        name = f"{deployment['deploy_id']}-{deployment['id']}"
        assert post(http, "get_deployment_status", {"name": name}).is_success
        assert ask(http, mutation)["update_deployment_by_pk"] == {"id": deployment["id"], "deployed": False}
        assert post(http, "get_deployment_status", {"name": name}).status_code == 404

    def test_what_was_sent_for_the_engine_is_shown_and_replaced(
        self, http: httpx.Client, deployed: dict[str, Any]
    ) -> None:
        version, name = deployed["pipeline_versions"][0]["id"], deployed["pipeline_id"]
        for replicas in (2, 0):
            config = {"engine": {"replicas": replicas, "cpu": 0.5}}
            body = {"deploy_id": name, "pipeline_version_pk_id": version, "engine_config": config}
            assert post(http, "deploy_pipeline", body).json()["id"] == deployed["deployment"]["id"]
            shown = ask(http, PIPELINE_BY_ID, id=deployed["id"])["pipeline_by_pk"]["deployment"]
            assert shown["engine_config"] == config

    def test_thresholds_of_an_assay_are_set_by_who_sees_it(
        self, http: httpx.Client, sandbox: dict[str, str], deployed: dict[str, Any]
    ) -> None:
        window = {"path": "output y 0", "pipeline_name": deployed["pipeline_id"], "width": "1 days"}
        request = {
            "name": "a",
            "pipeline_id": deployed["id"],
            "pipeline_name": deployed["pipeline_id"],
            "workspace_id": deployed["workspace"]["id"],
            "active": False,
            "status": "created",
            "baseline": {"calculated": {"vector": [1.0, 2.0]}},
            "window": window | {"workspace_id": deployed["workspace"]["id"]},
            "summarizer": {
                "type": "UnivariateContinuous",
                "bin_mode": "Quantile",
                "aggregation": "Density",
                "metric": "PSI",
                "num_bins": 2,
            },
            "alert_threshold": 0.25,
            "warning_threshold": None,
        }
        assay_id = post(http, "create_assay", request).json()["assay_id"]
        mutation = f"""mutation A($alert: Float!, $warning: Float!) {{
          update_assay_by_pk(pk_columns: {{id: {assay_id}}}
            _set: {{alert_threshold: $alert, warning_threshold: $warning}}) {{ id active alert_threshold }}
        }}"""
        with invited(sandbox, http) as (_, _, theirs):
            assert ask(theirs, mutation, alert=1.5, warning=1.0)["update_assay_by_pk"] is None
        changed = ask(http, mutation, alert=0.5, warning=0.125)["update_assay_by_pk"]
        assert changed == {"id": assay_id, "active": False, "alert_threshold": 0.5}
        [listed] = post(http, "list_assays", {"pipeline_id": deployed["id"]}).json()
        assert (listed["alert_threshold"], listed["warning_threshold"]) == (0.5, 0.125)

    def test_windows_that_are_over_keep_the_thresholds_they_were_compared_by(self) -> None:
        with running() as environment, with_token(environment, user_token(environment)) as http:
            steer(http, "clock", {"now": "2023-01-02T12:00:00Z"})
            pipeline_id = seed_pipeline(http)
            seed_rows(http, pipeline_id, [*day(1, 1, 2, 3, 4, 5), *day(2, 9, 9, 9)])
            assay_id = post(http, "create_assay", assay(pipeline_id, alert_threshold=0.25)).json()["assay_id"]
            steer(http, "clock", {"now": "2023-01-02T23:59:59.9Z"})
            time.sleep(0.2)  # now a window is over, and nobody has looked
            mutation = f"""mutation {{
              update_assay_by_pk(pk_columns: {{id: {assay_id}}} _set: {{alert_threshold: 1000.0}}) {{ id }}
            }}"""
            assert ask(http, mutation)["update_assay_by_pk"] == {"id": assay_id}
            [result] = post(http, "get_assay_results", {"assay_id": assay_id}).json()
        assert (result["alert_threshold"], result["status"]) == (0.25, "Alert")

    def test_no_more_deployments_run_than_the_sandbox_may_have(self, model_file: Path) -> None:
        mutation = """mutation D($id: bigint!, $run: Boolean!) {
          update_deployment_by_pk(pk_columns: {id: $id} _set: {deployed: $run}) { deployed }
        }"""
        with running(None, "--deployments", "1") as environment:
            deploy_anew(environment, model_file, "first")
            with with_token(environment, user_token(environment)) as http:
                [first] = ask(http, "{ deployment { id } }")["deployment"]
                assert ask(http, mutation, id=first["id"], run=False)["update_deployment_by_pk"] == {"deployed": False}
                deploy_anew(environment, model_file, "second")
                [error] = errors(http, mutation, id=first["id"], run=True)
        assert "no memory left for a deployment" in error["message"]


class TestErrors:
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("{", "Syntax Error"),
            ("{ nothing }", "Cannot query field 'nothing'"),
            ("{ workspace { nothing } }", "Cannot query field 'nothing'"),
            ("{ workspace(where: {nothing: {_eq: 1}}) { id } }", "nothing"),
            ("{ workspace(where: {id: {_eq: 99999999999999999999}}) { id } }", "64 bits"),
            ('{ workspace(where: {created_at: {_gt: "soon"}}) { id } }', "ISO 8601"),
            ("{ workspace(where: {id: {_eq: null}}) { id } }", "null"),
            ("{ workspace(limit: -1) { id } }", "negative"),
            ("{ workspace }", "selection"),
        ],
    )
    def test_an_error_says_what_is_wrong(self, http: httpx.Client, query: str, message: str) -> None:
        error = errors(http, query)[0]
        assert message in error["message"]
        assert error["extensions"]["code"] in {"validation-failed", "unexpected"}

    def test_a_defect_goes_to_the_log(
        self, instance: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def rows(*_: Any) -> float:
            return 1 / 0

        monkeypatch.setattr(Reader, "rows", rows)
        [error] = answer_of(instance, "{ tag { id } }")["errors"]
        assert error["message"] == "The sandbox failed; its log has the details."
        assert "division by zero" in caplog.text

    @pytest.mark.parametrize("body", [[], {}, {"query": 1}, {"query": "{ tag { id } }", "variables": []}])
    def test_what_is_no_request_of_graphql_is_400(self, http: httpx.Client, body: Any) -> None:
        answer = http.post(GRAPHQL, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "bad-request")


class TestLimits:
    @pytest.mark.parametrize(
        "query",
        [
            "{ workspace { " + "users { workspace { " * 150 + "id" + " } }" * 150 + " } }",
            "{" + " ".join(f"w{number}: workspace {{ id }}" for number in range(500)) + "}",
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            "{ workspace(where: {_or: [" + "{id: {_gt: 0}} " * 250 + "]}) { id } }",
            "# " + "x" * 200_000,
        ],
        ids=["deep", "wide", "introspection", "conditions", "long"],
    )
    def test_a_query_that_is_too_large_is_refused(self, http: httpx.Client, query: str) -> None:
        assert errors(http, query)

    def test_a_query_that_grows_as_it_runs_is_ended(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(graphql_requests, "FIELDS_LIMIT", 1000)
        doubled = "".join(
            f"fragment F{n} on workspace {{ a: users {{ workspace {{ ...F{n + 1} }} }} "
            f"b: users {{ workspace {{ ...F{n + 1} }} }} }} "
            for n in range(30)
        )
        query = "{ workspace { ...F0 } } " + doubled + "fragment F30 on workspace { id }"
        [error] = answer_of(instance, query)["errors"]
        assert error["extensions"]["code"] == "too-much-work"
        assert answer_of(instance, "{ workspace { id } }")["data"]["workspace"]

    def test_a_query_that_takes_too_long_is_ended(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(graphql_requests, "SECONDS_LIMIT", 0.0)
        assert answer_of(instance, "{ workspace { id } }")["errors"][0]["extensions"]["code"] == "too-much-work"

    def test_what_a_mutation_did_that_is_ended_does_not_stay(
        self, instance: Instance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(graphql_requests, "FIELDS_LIMIT", 3)
        mutation = 'mutation { insert_tag(objects: {tag: "t"}) { returning { id tag } } }'
        assert "errors" in answer_of(instance, mutation)
        monkeypatch.undo()
        assert answer_of(instance, "{ tag { id } }") == {"data": {"tag": []}}


@pytest.fixture
def instance(tmp_path: Path) -> Generator[Instance]:
    """Yield a sandbox in this process, without a server."""
    with closing(Instance(tmp_path / "data")) as opened:
        yield opened


def answer_of(instance: Instance, query: str) -> dict[str, Any]:
    """Return the answer to the default user's query."""
    with instance.store.reading() as db:
        user = find_user_by_email(db, instance.credentials.username)
    assert user is not None
    return graphql_requests.Platform(instance).answer({"query": query}, user)


def test_nothing_of_it_is_loaded_before_it_is_asked_for() -> None:
    code = "import sys, wallaroo_ext.sandbox.server.serve; print([name for name in sys.modules if 'graphql' in name])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

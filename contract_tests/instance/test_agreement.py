"""Do the operations agree with one another? Two answers about one thing have to say the same."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.resources.samples import INPUT, model_file
from wallaroo_ext.conformance.testing.answer_forms import JSON, media_type_of
from wallaroo_ext.conformance.testing.api_calls import says_why
from wallaroo_ext.conformance.testing.inference.deploying import is_gone, runs
from wallaroo_ext.conformance.testing.read_back import changed_fields, differences
from wallaroo_ext.conformance.testing.waiting import Patience, ended_version, soon

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

OF_ALL_TYPES: tuple[Any, ...] = ({}, [], True, 5, "text")
RECORDS = "application/json; format=pandas-records"
OTHER_TYPES = ("application/x-www-form-urlencoded", "application/xml", "application/jsonlines")
"""Media types that are taken for those of the contract by instances that do not look at them."""
REFUSALS = {400, 415}
"""The statuses for a body of a media type that the contract does not have for an operation."""


def uploaded(api: Api, fixtures: Fixtures, name: str, seed: int) -> tuple[int, str]:
    """Upload a version of a model, and return its id and its file's digest."""
    content = model_file(seed=seed)
    assert fixtures.workspace_id is not None
    version_id = api.upload(api.uploads[0], name, content, fixtures.workspace_id)
    return version_id, hashlib.sha256(content).hexdigest()


def ready_model(api: Api, fixtures: Fixtures, seed: int) -> tuple[int, dict[str, str]]:
    """Upload a model, and return its version's id, and the version as a pipeline names it, once it is ready."""
    name = api.unused_name("m")
    version_id, sha = uploaded(api, fixtures, name, seed)
    version = ended_version(api, name, version_id)
    return version_id, {"name": name, "version": version["model_version"], "sha": sha}


def deployed_versions(api: Api, version_ids: Iterable[int]) -> set[int]:
    """Return those of some versions of models that are shown as deployed; none where the release does not show it."""
    if not api.has("get_model_version_by_id"):
        return set()
    shown = {number: api.call("get_model_version_by_id", {"model_version_id": number}) for number in version_ids}
    return {number for number, found in shown.items() if found["model_version"]["model_version"].get("deployed")}


def versions(api: Api, name: str) -> list[dict[str, Any]]:
    """Return the versions of a model, the oldest first."""
    return sorted(api.call("list_model_versions", {"model_id": name}), key=lambda version: version["id"])


class TestUsersAndWorkspaces:
    @pytest.mark.touches("query_users")
    def test_a_user_is_listed_under_its_id(self, api: Api) -> None:
        users = api.call("query_users", {})["users"]
        assert users
        for user_id, user in users.items():
            assert user is None or user["id"] == user_id

    @pytest.mark.touches("invite_user", "query_users", "request_token")
    def test_a_user_signs_in_by_the_name_that_is_listed(self, api: Api, conformance_suite: Suite) -> None:
        user_id = api.call("invite_user", {"email": f"{api.unused_name('u')}@example.com", "password": PASSWORD})["id"]
        username = api.call("query_users", {"user_ids": [user_id]})["users"][user_id]["username"]
        form = {"grant_type": "password", "username": username, "password": PASSWORD}
        headers = {"Authorization": conformance_suite.authorization("request_token")}
        assert api.send("request_token", data=form, headers=headers, auth=None).status_code == 200

    @pytest.mark.touches("create_workspace", "list_workspaces")
    def test_a_new_workspace_is_empty_and_not_archived(self, api: Api) -> None:
        workspace_id = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
        listed = api.call("list_workspaces", {})["workspaces"]
        [workspace] = [found for found in listed if found["id"] == workspace_id]
        assert workspace["archived"] is False
        assert (workspace["models"], workspace["pipelines"]) == ([], [])

    @pytest.mark.touches("list_workspaces", "list_workspace_users", "invite_user")
    def test_workspaces_of_a_user_are_those_where_it_is_a_member(self, api: Api, fixtures: Fixtures) -> None:
        email = f"{api.unused_name('u')}@example.com"
        user_id = api.call("invite_user", {"email": email, "password": PASSWORD})["id"]
        of_everybody = api.call("list_workspaces", {})["workspaces"]
        assert fixtures.workspace_id in {workspace["id"] for workspace in of_everybody}
        of_the_new_one = api.call("list_workspaces", {"user_id": user_id})["workspaces"]
        assert fixtures.workspace_id not in {workspace["id"] for workspace in of_the_new_one}


def _without_owners(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return versions without their owners, whom one operation names and another does not: recorded are two quotes."""
    return [{key: value for key, value in each.items() if key != "owner_id"} for each in found]


class TestModels:
    @pytest.mark.touches("list_models", "get_model", "get_model_by_id")
    def test_a_model_has_one_name(self, api: Api, fixtures: Fixtures) -> None:
        [model] = [found for found in api.list_models(fixtures.workspace_id) if found["id"] == fixtures.model_id]
        for operation in ("get_model", "get_model_by_id"):
            shown = api.call(operation, {"id": fixtures.model_id})
            names = [name for name in ("id", "name", "created_at") if name in model]
            assert {name: shown[name] for name in names} == {name: model[name] for name in names}

    @pytest.mark.touches("get_model_version_by_id", "list_models", "get_model_config_by_id")
    def test_a_version_is_the_same_by_its_id_and_in_the_list(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("get_model_version_by_id"):
            pytest.skip("The release does not have it.")
        name = api.unused_name("m")
        version_id, _ = uploaded(api, fixtures, name, 13)

        def by_id(number: int) -> dict[str, Any]:
            """Return a version with its configuration."""
            return api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]

        def listed() -> dict[int, dict[str, Any]]:
            """Return the versions in the list of models, with their configurations, where it has them."""
            rows = api.call("list_models", {"workspace_id": fixtures.workspace_id})["models"]
            found = [each for row in rows for each in row.get("model_versions", [])]
            return {each["model_version"]["id"]: each for each in found}

        by_id(version_id)  # before its conversion has ended, so that a cache has it
        version = ended_version(api, name, version_id)
        soon(lambda: by_id(version_id)["model_version"]["status"] == "ready")
        shown, before = by_id(version_id), listed()
        chosen = [*before][:1] + [*before][-1:] + [number for number in (version_id, fixtures.version_id) if before]
        alone = {number: by_id(number) for number in chosen if number is not None}
        after = listed() if before else {}
        for number, found in alone.items():
            changed = list(differences(before[number], found))
            assert not changed or list(differences(after[number], found)) == [], f"version {number}: {changed}"
        versions = [before[version_id]] if before else []
        for found in (shown, *versions):
            model_version = found["model_version"]
            expected = {"id": version_id, "name": name, "workspace_id": fixtures.workspace_id}
            assert {field: model_version[field] for field in expected} == expected
            assert model_version["file_info"]["sha"] == version["sha"]
            assert model_version["file_info"]["version"] == version["model_version"]
        configuration = api.call("get_model_config_by_id", {"model_id": version_id})["model_config"]
        assert shown["config"]["id"] == configuration["id"]

    @pytest.mark.touches("insert_model_config", "get_model_config_by_id")
    def test_the_newest_configuration_is_shown(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("insert_model_config"):
            pytest.skip("The release does not have it.")
        version_id, _ = uploaded(api, fixtures, api.unused_name("m"), 21)
        api.call("get_model_config_by_id", {"model_id": version_id})  # so that a cache has it
        for threshold in (0.5, 0.0, 0.25):
            configuration = {"model_version_id": version_id, "tensor_fields": [INPUT], "filter_threshold": threshold}
            made = api.call("insert_model_config", configuration)["model_config"]
            shown = api.call("get_model_config_by_id", {"model_id": version_id})["model_config"]
            assert (shown["id"], shown["filter_threshold"]) == (made["id"], threshold)

    @pytest.mark.touches("get_model_by_id", "get_model_config_by_id")
    def test_a_models_configuration_is_that_of_its_newest_version(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("m")
        version_id, _ = uploaded(api, fixtures, name, 11)
        model_id = ended_version(api, name, version_id)["models_pk_id"]
        configured: list[Any] = []
        for model, version in ((fixtures.model_id, fixtures.version_id), (model_id, version_id)):
            shown = api.call("get_model_by_id", {"id": model})
            configuration = api.call("get_model_config_by_id", {"model_id": version})["model_config"]
            assert shown["model_config"] == configuration
            assert shown["workspace_id"] == fixtures.workspace_id
            configured += [] if configuration is None else [configuration["id"]]
        assert len(configured) == len(set(configured))

    @pytest.mark.touches("list_model_versions", "get_model", "get_model_by_id", "get_model_config_by_id")
    def test_a_new_version_is_seen_everywhere(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("m")
        version_id, first_sha = uploaded(api, fixtures, name, 13)
        model_id = ended_version(api, name, version_id)["models_pk_id"]
        before = api.call("get_model_by_id", {"id": model_id})
        assert [version["sha"] for version in api.call("get_model", {"id": model_id})["models"]] == [first_sha]

        second_id, second_sha = uploaded(api, fixtures, name, 14)
        ended_version(api, name, second_id)
        assert [version["sha"] for version in versions(api, name)] == [first_sha, second_sha]
        shown = sorted(api.call("get_model", {"id": model_id})["models"], key=lambda version: version["id"])
        assert {version["id"]: version["sha"] for version in shown} == {version_id: first_sha, second_id: second_sha}
        assert list(differences(_without_owners(shown), _without_owners(versions(api, name)))) == []
        after = api.call("get_model_by_id", {"id": model_id})
        assert after["updated_at"] != before["updated_at"]


class TestDeployments:
    @pytest.mark.touches("get_deployment_status")
    def test_the_runs_deployment_names_the_version_that_it_runs(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.deployment is not None
        status = api.call("get_deployment_status", {"name": fixtures.deployment.name})
        statuses: list[dict[str, Any]] = [engine["model_statuses"] for engine in status["engines"]]
        found: list[dict[str, Any]] = [model for each in statuses for model in each["models"]]
        model = fixtures.model or {}
        assert {(each["name"], each["version"], each["sha"]) for each in found} == {
            (model["name"], model["version"], model["sha"])
        }

    @pytest.mark.touches("create_pipeline", "deploy_pipeline", "get_deployment_status", "infer_pipeline")
    def test_the_version_that_answers_is_the_one_that_was_deployed(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("p")
        made = api.call(
            "create_pipeline", {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": {}}
        )
        ids = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
        model_name = api.unused_name("m")
        deployment = ""
        for seed in (15, 16):
            version_id, sha = uploaded(api, fixtures, model_name, seed)
            ended_version(api, model_name, version_id)
            deployed = api.call("deploy_pipeline", ids | {"deploy_id": name, "model_ids": [version_id]})["id"]
            deployment = f"{name}-{deployed}"
            self.runs(api, deployment, {sha})
        [row] = api.call(
            "infer_pipeline",
            [{INPUT: [0.5] * 4}],
            path={"deployment": deployment, "pipeline": name},
            headers={"Content-Type": RECORDS},
        )
        version_uuid = row.get("metadata", {}).get("pipeline_version", "")
        assert version_uuid in {"", made["pipeline_variant_version"]}
        api.call("undeploy_pipeline", {"deployment_id": deployed})

    @pytest.mark.touches("create_pipeline", "deploy_pipeline", "get_deployment_status", "get_model_version_by_id")
    def test_a_deployment_runs_the_models_of_its_pipeline_version(self, api: Api, fixtures: Fixtures) -> None:
        name, deployment, shown = api.unused_name("p"), 0, set[int]()
        versions = dict(ready_model(api, fixtures, seed) for seed in (17, 18))
        for model in versions.values():
            ids = self.made(api, fixtures, name, {"steps": [{"ModelInference": {"models": [model]}}]})
            deployment = api.call("deploy_pipeline", ids | {"deploy_id": name})["id"]
            self.runs(api, f"{name}-{deployment}", {model["sha"]})
            shown |= deployed_versions(api, versions)
        api.call("undeploy_pipeline", {"deployment_id": deployment})
        soon(
            lambda: not shown & deployed_versions(api, versions),
            lambda: f"of {shown}, which were deployed, some stay so",
        )

    @pytest.mark.touches("create_pipeline", "deploy_pipeline", "get_deployment_status")
    def test_all_models_of_a_deployment_are_in_its_status(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("p")
        versions = dict(ready_model(api, fixtures, seed) for seed in (19, 20))
        ids = self.made(api, fixtures, name, {})
        deployment = api.call("deploy_pipeline", ids | {"deploy_id": name, "model_ids": list(versions)})["id"]
        self.runs(api, f"{name}-{deployment}", {model["sha"] for model in versions.values()})
        (first, _), (_, second) = versions.items()
        api.call("deploy_pipeline", ids | {"deploy_id": name, "model_ids": [first]})
        self.runs(api, f"{name}-{deployment}", {versions[first]["sha"]})
        api.call("deploy_pipeline", ids | {"deploy_id": name, "model_ids": [first], "models": [second]})
        self.runs(api, f"{name}-{deployment}", {model["sha"] for model in versions.values()})
        api.call("undeploy_pipeline", {"deployment_id": deployment})

    @staticmethod
    def made(api: Api, fixtures: Fixtures, name: str, definition: dict[str, Any]) -> dict[str, int]:
        """Make a version of a pipeline, and return the ids by which it is deployed."""
        body = {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": definition}
        made = api.call("create_pipeline", body)
        return {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}

    @staticmethod
    def runs(api: Api, deployment: str, wanted: set[str]) -> None:
        """Wait until a deployment runs the models of these digests and no other."""
        patience, seen = Patience(), set[str]()
        while seen != wanted:
            assert patience.lasts(), f"it has {seen} in place of {wanted}"
            status = api.call("get_deployment_status", {"name": deployment})
            if status["status"] == "Running":
                assert {engine["status"] for engine in status["engines"]} == {"Running"}
                statuses: list[dict[str, Any] | None] = [engine["model_statuses"] for engine in status["engines"]]
                seen = {model["sha"] for found in statuses if found for model in found["models"]}


class TestPipelines:
    @pytest.mark.touches(
        "create_pipeline",
        "copy_pipeline",
        "get_deployment_status",
        "undeploy_pipeline",
        "get_pipeline_external_url",
        if_there=("get_pipeline_version",),
    )
    def test_a_copy_that_is_deployed_has_its_deployment(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.model is not None
        steps = [{"ModelInference": {"models": [fixtures.model]}}]
        where = {"workspace_id": fixtures.workspace_id}
        body = where | {"pipeline_id": api.unused_name("p")}
        made = api.call("create_pipeline", body | {"definition": {"steps": steps}})
        source = made["pipeline_pk_id"]
        which: dict[str, Any] = {"engine_config": {}}
        if "pipeline_variant_version" in made:
            which["pipeline_version"] = made["pipeline_variant_version"]
            api.call("create_pipeline", body | {"definition": {}})  # which is the newest, and has nothing to run
        name, deploy = api.unused_name("p"), api.unused_name("d")
        copied = api.call("copy_pipeline", where | {"name": name, "source_pipeline": source, "deploy": deploy} | which)
        deployment, version = copied["deployment"], copied.get("pipeline_version")
        if deployment is None:
            pytest.skip("This instance does not deploy copies.")
        status = runs(api, f"{deploy}-{deployment['id']}", fixtures.model)
        [shown] = status["engines"][0]["pipeline_statuses"]["pipelines"]
        assert shown["id"] == name, "the deployment is not the copy's"
        assert shown.get("version") != made.get("pipeline_variant_version") or "version" not in shown
        if version is not None:
            assert shown.get("version", version) == version, "the deployment has another version than the copy"
        if version is not None and api.has("get_pipeline_version"):
            found = api.call("get_pipeline_version", {"version": version})
            assert (found["pipeline_id"], found["version"]) == (name, version), "it is not the version of the copy"
            assert not list(changed_fields(steps, object_of(found["definition"])["steps"], is_whole=True))
        url = api.call("get_pipeline_external_url", where | {"pipeline_name": name})["url"]
        assert f"{deploy}-{deployment['id']}" in url
        api.call("undeploy_pipeline", {"pipeline_id": source})
        runs(api, f"{deploy}-{deployment['id']}", fixtures.model)
        api.call("undeploy_pipeline", {"pipeline_id": copied["pipeline_pk_id"]})
        soon(lambda: is_gone(api, f"{deploy}-{deployment['id']}"))


@pytest.mark.changes_nothing(if_reading=True)
@pytest.mark.thorough("bodies that are wrong")
class TestRefusals:
    """Each field by itself, so that none is missed, and the same request with all fields right succeeds."""

    def test_a_required_field_is_required(
        self, operation_id: str, conformance_suite: Suite, api: Api, subtests: pytest.Subtests
    ) -> None:
        _, first, _ = good_json(conformance_suite, operation_id)
        api.send(operation_id, **first)  # so that an instance that fills in missing fields has values for them
        schema, good, body = good_json(conformance_suite, operation_id)
        for name in schema.get("required", ()):
            with subtests.test(name):
                changed = {field: value for field, value in body.items() if field != name}
                self.refused(api, operation_id, good, changed)
        api.control(operation_id, good)

    def test_a_field_has_its_type(
        self, operation_id: str, conformance_suite: Suite, api: Api, subtests: pytest.Subtests
    ) -> None:
        schema, good, body = good_json(conformance_suite, operation_id)
        for name, inner in schema.get("properties", {}).items():
            validator = conformance_suite.rules.schemas.validator(inner)
            wrong = [value for value in OF_ALL_TYPES if not validator.is_valid(value)][:1]
            alike = look_alike(body.get(name))
            wrong += [] if alike is None or validator.is_valid(alike) else [alike]
            with subtests.test(name):
                for value in wrong:
                    with suppress(WithheldError):
                        self.refused(api, operation_id, good, body | {name: value})
        api.control(operation_id, good)

    def test_a_field_within_a_field_has_its_type(
        self, operation_id: str, conformance_suite: Suite, api: Api, subtests: pytest.Subtests
    ) -> None:
        schema, good, body = good_json(conformance_suite, operation_id)
        validator = conformance_suite.rules.schemas.validator(schema)
        changed = [each for each in with_one_as_text(body) if not validator.is_valid(each)]
        if not changed:
            pytest.skip("No field within another is a number or a boolean.")
        for which, each in (("first", changed[0]), ("last", changed[-1])):
            with subtests.test(which), suppress(WithheldError):
                self.refused(api, operation_id, good, each)

    def test_a_body_is_one_object(self, operation_id: str, conformance_suite: Suite, api: Api) -> None:
        _, good, body = good_json(conformance_suite, operation_id)
        text = json.dumps(body)
        bodies = [
            f"[{text}]",
            json.dumps(text),
            f"{text}}}",
            f"{text[:-1]},}}",
            f"{text} {text}",
            text.replace('"', "'"),
        ]
        turn = list(conformance_suite.rules.operations).index(operation_id)
        for content in (bodies[0], bodies[1 + turn % (len(bodies) - 1)]):
            if content == text:
                continue  # an empty object has no quotation marks
            with suppress(WithheldError):
                changed: dict[str, Any] = good | {"content": content.encode()}
                answer = api.send(operation_id, **changed)
                assert answer.status_code == 400, f"{content[:100]}: {answer.status_code} {answer.text[:300]}"

    @staticmethod
    def refused(api: Api, operation: str, good: dict[str, Any], body: dict[str, Any]) -> None:
        changed: dict[str, Any] = good | {"content": json.dumps(body).encode()}
        answer = api.send(operation, **changed)
        assert answer.status_code == 400, f"{answer.status_code} {answer.text[:300]}"
        if media_type_of(answer) == JSON:
            assert says_why(answer), "it does not say what is wrong"


def look_alike(value: Any) -> Any:
    """Return a value of another type that a lenient instance takes for a value: a number's text, what is in a list."""
    if isinstance(value, list):
        return next(iter(list_of(value)), None)
    return value if isinstance(value, str | None) else json.dumps(value)


def with_one_as_text(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield copies of a value, in each of which one number or boolean below its own fields is a text."""
    if isinstance(value, dict):
        for name, inner in object_of(value).items():
            yield from (value | {name: changed} for changed in with_one_as_text(inner, depth + 1))
    elif isinstance(value, list):
        items = list_of(value)
        for at, inner in enumerate(items):
            yield from ([*items[:at], changed, *items[at + 1 :]] for changed in with_one_as_text(inner, depth + 1))
    elif depth > 1 and isinstance(value, int | float):
        yield look_alike(value)


def good_json(suite: Suite, operation: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the schema of an operation's JSON object, a good request of unused names, and its body, or skip."""
    content = suite.rules.request_content(operation)
    if list(content) != [JSON]:
        pytest.skip("Its body is no JSON, or not only.")
    good = suite.cases.unused_request(operation)
    return suite.rules.schemas.resolve(content[JSON]["schema"]), good, json.loads(good["content"] or b"{}")


@pytest.mark.touches("list_features")
def test_an_instance_that_wants_tokens_says_so(api: Api) -> None:
    assert api.call("list_features", {})["is_auth_enabled"] is True


@pytest.mark.changes_nothing
def test_a_charset_beside_the_media_type_changes_nothing(operation_id: str, conformance_suite: Suite, api: Api) -> None:
    if conformance_suite.guard.effects[operation_id].writes:
        pytest.skip("It would change something.")
    _, good, _ = good_json(conformance_suite, operation_id)
    headers: dict[str, str] = good.get("headers", {}) | {"Content-Type": f"{JSON};charset=utf-8"}
    api.control(operation_id, good | {"headers": headers})


@pytest.mark.changes_nothing(if_reading=True)
@pytest.mark.thorough("bodies that are wrong")
def test_a_body_of_another_media_type_is_refused(operation_id: str, conformance_suite: Suite, api: Api) -> None:
    if not conformance_suite.rules.request_content(operation_id):
        pytest.skip("It takes no body.")
    good = conformance_suite.cases.good_request(operation_id, is_new=True)
    authorization = conformance_suite.authorization(operation_id)
    known = conformance_suite.rules.request_content(operation_id)
    others = [kind for kind in OTHER_TYPES if kind not in known]
    turn = list(conformance_suite.rules.operations).index(operation_id)
    for kind in ("text/plain", others[turn % len(others)]):
        headers = {"Authorization": authorization, "Content-Type": kind}
        changed: dict[str, Any] = good | {"headers": headers, "content": good["content"] or b"{}"}
        answer = api.send(operation_id, auth=None, **changed)
        assert answer.status_code in REFUSALS, f"{kind}: {answer.status_code} {answer.text[:300]}"
    api.control(operation_id, good)

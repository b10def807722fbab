"""The slips of the five documents' code, and what has to stand in its place on a sandbox, one by one.

Lines that name an instance's addresses and secrets are no slips: a person has to fill them in, as the documents say.
"""

from __future__ import annotations

from typing import NamedTuple


class Repair(NamedTuple):
    """Lines of a document that are replaced.

    Attributes:
        first: The number of the first line.
        last: The number of the last line.
        becomes: What stands in their place; empty to leave them out.
        why: What is wrong with them.
    """

    first: int
    last: int
    becomes: str
    why: str


_FILLED_IN = "an instance's addresses and secrets are to be filled in"
_TOKEN_URL = 'TOKENURL = os.environ["WALLAROO_AUTH_URL"] + "/auth/realms/master/protocol/openid-connect/token"'
_API = 'APIURL = os.environ["WALLAROO_API_URL"]'
_SIGN_IN = (
    'wl = wallaroo.Client(api_endpoint=os.environ["WALLAROO_API_URL"], '
    'auth_endpoint=os.environ["WALLAROO_AUTH_URL"], auth_type="user_password")'
)

_EARLY = "rows are sent before the deployment may be running"
_ENDS = "brackets that close, and what is beside them, are lost"
_POST = "response = requests.post(endpoint, json=data, headers=headers, verify=True).json()"
_RUNNING = 'requests.post(f"{{wl.api_endpoint}}/v1/api/status/get_deployment", json={}, headers=headers).json()'
_FILE = "open('./models/ccfraud.onnx', 'rb'), 'application/octet-stream')"
_MODEL = "{{'name': {}, 'version': example_model_version, 'sha': example_model_sha}}"
_SCORED = "requests.post(deployurl, json=data, headers=headers, verify=True).json()"
_OF_PIPELINE = "{pipeline_with_models_id}-{model_deployment_id}"


def _wait(ask: str, name: str) -> str:
    """Return code that waits until a deployment runs, which `ask` asks for by its name."""
    status = ask.format(f'{{"name": f"{name}"}}')
    return f'import time\nwhile {status}["status"] != "Running": time.sleep(0.1)'


REPAIRS = {
    "external-inference-url-tutorial.md": [
        Repair(80, 80, "import os", _FILLED_IN),
        Repair(81, 81, "", _FILLED_IN),
        Repair(82, 82, 'SECRET = os.environ["WALLAROO_CLIENT_SECRET"]', _FILLED_IN),
        Repair(84, 84, 'USERNAME = os.environ["WALLAROO_USER"]', _FILLED_IN),
        Repair(85, 85, 'PASSWORD = os.environ["WALLAROO_PASSWORD"]', _FILLED_IN),
        Repair(89, 89, _TOKEN_URL, _FILLED_IN),
        Repair(90, 90, f'{_API} + "/v1/api"', _FILLED_IN),
    ],
    "api-essentials-guide.txt": [
        Repair(66, 66, f"import os, wallaroo; {_SIGN_IN}; connection = wl.mlops().__dict__", "wl is nowhere made"),
        Repair(77, 78, "", _FILLED_IN),
        Repair(79, 79, 'SECRET = os.environ["WALLAROO_CLIENT_SECRET"]', _FILLED_IN),
        Repair(80, 80, _TOKEN_URL, _FILLED_IN),
        Repair(82, 82, 'USERNAME = os.environ["WALLAROO_USER"]', _FILLED_IN),
        Repair(83, 83, 'PASSWORD = os.environ["WALLAROO_PASSWORD"]', _FILLED_IN),
        Repair(84, 84, f'{_API} + "/v1/api"', _FILLED_IN),
        Repair(85, 85, 'newUser = "ada@example.com"', _FILLED_IN),
        Repair(86, 86, 'newPassword = "a password for Ada"', _FILLED_IN),
        Repair(
            1119,
            1119,
            _wait(
                'get_wallaroo_response(APIURL, "/status/get_deployment", TOKEN, {})',
                "{exampleModelDeployId}-{exampleModelDeploymentId}",
            ),
            _EARLY,
        ),
        Repair(1477, 1477, "exampleAssayId = example_assay_id", "the number of an assay that another run made"),
    ],
    "mlops-api-tutorial.md": [
        Repair(170, 170, _TOKEN_URL, _FILLED_IN),
        Repair(194, 194, _TOKEN_URL, _FILLED_IN),
        Repair(219, 219, _TOKEN_URL, _FILLED_IN),
        Repair(244, 248, "", "wl is used before it is made, and an answer stands among the code"),
        Repair(278, 280, _SIGN_IN, _FILLED_IN),
        Repair(288, 288, _API, _FILLED_IN),
        Repair(408, 408, "", "a comment without its #"),
        Repair(783, 783, "", "a comment that lost its beginning"),
        Repair(784, 784, "headers = wl.auth.auth_header()", "a token that is none"),
        Repair(790, 790, "", "suffix is nowhere set; later code looks for the name that was set at the top"),
        Repair(795, 795, '    "workspace_id": example_workspace_id,', "workspaceId is nowhere set"),
        Repair(822, 822, "import base64; input_schema = pa.schema([", "base64 is not imported"),
        Repair(846, 846, '    "workspace_id": example_workspace_id,', "workspace_id is nowhere set"),
        Repair(
            860,
            860,
            "    'file': (model_name, open(model_file_name, 'rb'), 'application/octet-stream')",
            "model_path is nowhere set",
        ),
        Repair(
            863, 863, "response = requests.post(f'{APIURL}/v1/api/models/upload_and_convert',", "no f before the text"
        ),
        Repair(
            906,
            906,
            "response = requests.post(api_request, params=data, data=open(stream_model_file_name, 'rb'), "
            "headers=headers | {'Content-Type': 'application/octet-stream'}).json()",
            "it posts a form to the URL of the section before, and not a stream to its own",
        ),
        Repair(
            1244,
            1245,
            _wait(
                'requests.post(f"{{APIURL}}/v1/api/status/get_deployment", json={}, headers=headers).json()',
                "{model_deploy_id}-{model_deployment_id}",
            ),
            "a sandbox needs no 45 seconds",
        ),
    ],
    "pipeline-management-guide.txt": [
        Repair(56, 56, f"import os, json, requests, wallaroo, pandas as pd; {_SIGN_IN}", "wl is nowhere made"),
        Repair(67, 67, '  "definition": {}}', _ENDS),
        Repair(69, 69, _POST, "what is posted is lost"),
        Repair(92, 92, "framework = 'onnx'", "framework is nowhere set"),
        Repair(103, 103, '        "requirements": []}}', _ENDS),
        Repair(107, 107, f"    'file': (example_model_name, {_FILE}}}", _ENDS),
        Repair(121, 121, '  "models_pk_id": example_model_id}', _ENDS),
        Repair(138, 138, "{'ModelInference': {'models': [{'name': example_model_name,", "the step is lost"),
        Repair(140, 140, "    'sha': example_model_sha}]}}]}}", _ENDS),
        Repair(142, 142, _POST, "what is posted is lost"),
        Repair(144, 144, "model_pipeline_variant_id = response['pipeline_variant_pk_id']", "it is nowhere set"),
        Repair(227, 227, f"        {_MODEL.format('example_model_name')}],", "the model's version and digest are lost"),
        Repair(228, 228, '    "pipeline_id": model_pipeline_id}', _ENDS),
        Repair(230, 230, f"{_POST}; model_deployment_id = response['id']", "the deployment's id is nowhere set"),
        Repair(280, 280, f'  "name": f"{_OF_PIPELINE}"}}', _ENDS),
        Repair(360, 360, '        "arch": "arm"}}', _ENDS),
        Repair(364, 364, f"    'file': (model_name, {_FILE}}}", _ENDS),
        Repair(381, 381, f"        {_MODEL.format('model_name')}],", "the model's version and digest are lost"),
        Repair(382, 382, '    "pipeline_id": model_pipeline_id}', _ENDS),
        Repair(399, 399, f"        {_MODEL.format('model_name')}],", "the model's version and digest are lost"),
        Repair(400, 400, '    "pipeline_id": model_pipeline_id}', _ENDS),
        Repair(434, 434, '    "pipeline_name": pipeline_with_models_id}', _ENDS),
        Repair(475, 476, f"headers = wl.auth.auth_header()\n{_wait(_RUNNING, _OF_PIPELINE)}", _EARLY),
        Repair(484, 484, 'data = [{"dense_input": [0.25] * 29}]', "the row is lost"),
        Repair(487, 487, f"response = pd.DataFrame.from_records({_SCORED})", "what is posted is lost"),
        Repair(575, 575, '    "pipeline_id": model_pipeline_id, "deployment_id": model_deployment_id}', _ENDS),
        Repair(619, 619, '  "source_pipeline": model_pipeline_id}', _ENDS),
    ],
    "pipeline-management-tutorial.md": [
        Repair(50, 63, f"import os; {_SIGN_IN}", _FILLED_IN),
        Repair(
            565,
            565,
            _wait(_RUNNING, _OF_PIPELINE),
            _EARLY,
        ),
        Repair(763, 763, "", "a line of text among the code"),
    ],
}
"""By document, from its first line to its last."""

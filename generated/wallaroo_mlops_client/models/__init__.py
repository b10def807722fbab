"""Contains all the data models used in inputs/outputs"""

from .architecture import Architecture
from .conversion import Conversion
from .create_pipeline_request import CreatePipelineRequest
from .create_pipeline_response import CreatePipelineResponse
from .create_workspace_request import CreateWorkspaceRequest
from .create_workspace_response import CreateWorkspaceResponse
from .deploy_pipeline_request import DeployPipelineRequest
from .deploy_pipeline_request_engine_config import DeployPipelineRequestEngineConfig
from .deploy_pipeline_response import DeployPipelineResponse
from .deployment_status import DeploymentStatus
from .empty_object import EmptyObject
from .engine_error import EngineError
from .engine_status import EngineStatus
from .error import Error
from .get_deployment_status_request import GetDeploymentStatusRequest
from .get_pipeline_external_url_request import GetPipelineExternalUrlRequest
from .get_pipeline_external_url_response import GetPipelineExternalUrlResponse
from .inference_metadata import InferenceMetadata
from .inference_output import InferenceOutput
from .inference_result import InferenceResult
from .inference_result_in import InferenceResultIn
from .inference_result_out import InferenceResultOut
from .inference_tensor import InferenceTensor
from .inserted_model import InsertedModel
from .inserted_model_version import InsertedModelVersion
from .inserted_models import InsertedModels
from .list_model_versions_request import ListModelVersionsRequest
from .list_models_request import ListModelsRequest
from .list_models_response import ListModelsResponse
from .list_workspaces_request import ListWorkspacesRequest
from .list_workspaces_response import ListWorkspacesResponse
from .model import Model
from .model_inference_step import ModelInferenceStep
from .model_metadata import ModelMetadata
from .model_reference import ModelReference
from .model_status import ModelStatus
from .model_statuses import ModelStatuses
from .model_version import ModelVersion
from .pandas_records_item import PandasRecordsItem
from .pipeline_definition import PipelineDefinition
from .pipeline_status import PipelineStatus
from .pipeline_statuses import PipelineStatuses
from .pipeline_step import PipelineStep
from .pod_status import PodStatus
from .tensors import Tensors
from .token import Token
from .token_error import TokenError
from .token_request import TokenRequest
from .undeploy_pipeline_request import UndeployPipelineRequest
from .upload_and_convert_model_request import UploadAndConvertModelRequest
from .upload_model_response import UploadModelResponse
from .visibility import Visibility
from .workspace import Workspace

__all__ = (
    "Architecture",
    "Conversion",
    "CreatePipelineRequest",
    "CreatePipelineResponse",
    "CreateWorkspaceRequest",
    "CreateWorkspaceResponse",
    "DeploymentStatus",
    "DeployPipelineRequest",
    "DeployPipelineRequestEngineConfig",
    "DeployPipelineResponse",
    "EmptyObject",
    "EngineError",
    "EngineStatus",
    "Error",
    "GetDeploymentStatusRequest",
    "GetPipelineExternalUrlRequest",
    "GetPipelineExternalUrlResponse",
    "InferenceMetadata",
    "InferenceOutput",
    "InferenceResult",
    "InferenceResultIn",
    "InferenceResultOut",
    "InferenceTensor",
    "InsertedModel",
    "InsertedModels",
    "InsertedModelVersion",
    "ListModelsRequest",
    "ListModelsResponse",
    "ListModelVersionsRequest",
    "ListWorkspacesRequest",
    "ListWorkspacesResponse",
    "Model",
    "ModelInferenceStep",
    "ModelMetadata",
    "ModelReference",
    "ModelStatus",
    "ModelStatuses",
    "ModelVersion",
    "PandasRecordsItem",
    "PipelineDefinition",
    "PipelineStatus",
    "PipelineStatuses",
    "PipelineStep",
    "PodStatus",
    "Tensors",
    "Token",
    "TokenError",
    "TokenRequest",
    "UndeployPipelineRequest",
    "UploadAndConvertModelRequest",
    "UploadModelResponse",
    "Visibility",
    "Workspace",
)

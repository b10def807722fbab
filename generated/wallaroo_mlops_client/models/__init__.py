"""Contains all the data models used in inputs/outputs"""

from .activate_user_request import ActivateUserRequest
from .add_workspace_user_request import AddWorkspaceUserRequest
from .aggregation import Aggregation
from .architecture import Architecture
from .assay import Assay
from .assay_baseline import AssayBaseline
from .assay_baseline_request import AssayBaselineRequest
from .assay_baseline_row import AssayBaselineRow
from .assay_request import AssayRequest
from .assay_result import AssayResult
from .assay_summarizer import AssaySummarizer
from .assay_summarizer_request import AssaySummarizerRequest
from .assay_summary import AssaySummary
from .assay_window import AssayWindow
from .assay_window_request import AssayWindowRequest
from .bin_mode import BinMode
from .conversion import Conversion
from .copy_pipeline_request import CopyPipelineRequest
from .copy_pipeline_request_engine_config import CopyPipelineRequestEngineConfig
from .copy_pipeline_response import CopyPipelineResponse
from .create_assay_response import CreateAssayResponse
from .create_pipeline_request import CreatePipelineRequest
from .create_pipeline_response import CreatePipelineResponse
from .create_workspace_request import CreateWorkspaceRequest
from .create_workspace_response import CreateWorkspaceResponse
from .deactivate_user_request import DeactivateUserRequest
from .deploy_pipeline_request import DeployPipelineRequest
from .deploy_pipeline_request_engine_config import DeployPipelineRequestEngineConfig
from .deploy_pipeline_response import DeployPipelineResponse
from .deployment_status import DeploymentStatus
from .empty_object import EmptyObject
from .engine_error import EngineError
from .engine_status import EngineStatus
from .error import Error
from .federated_identity import FederatedIdentity
from .fixed_baseline import FixedBaseline
from .fixed_baseline_request import FixedBaselineRequest
from .get_assay_baseline_request import GetAssayBaselineRequest
from .get_assay_results_between_request import GetAssayResultsBetweenRequest
from .get_assay_results_request import GetAssayResultsRequest
from .get_deployment_status_request import GetDeploymentStatusRequest
from .get_model_by_id_request import GetModelByIdRequest
from .get_model_config_by_id_request import GetModelConfigByIdRequest
from .get_model_config_by_id_response import GetModelConfigByIdResponse
from .get_model_request import GetModelRequest
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
from .invite_user_request import InviteUserRequest
from .invite_user_response import InviteUserResponse
from .list_assays_request import ListAssaysRequest
from .list_features_request import ListFeaturesRequest
from .list_features_response import ListFeaturesResponse
from .list_features_response_features import ListFeaturesResponseFeatures
from .list_model_versions_request import ListModelVersionsRequest
from .list_models_request import ListModelsRequest
from .list_models_response import ListModelsResponse
from .list_workspace_users_request import ListWorkspaceUsersRequest
from .list_workspace_users_response import ListWorkspaceUsersResponse
from .list_workspaces_request import ListWorkspacesRequest
from .list_workspaces_response import ListWorkspacesResponse
from .metric import Metric
from .model import Model
from .model_config import ModelConfig
from .model_details import ModelDetails
from .model_inference_step import ModelInferenceStep
from .model_metadata import ModelMetadata
from .model_reference import ModelReference
from .model_status import ModelStatus
from .model_statuses import ModelStatuses
from .model_version import ModelVersion
from .model_with_versions import ModelWithVersions
from .pandas_records_item import PandasRecordsItem
from .pipeline_definition import PipelineDefinition
from .pipeline_status import PipelineStatus
from .pipeline_statuses import PipelineStatuses
from .pipeline_step import PipelineStep
from .pod_status import PodStatus
from .query_users_request import QueryUsersRequest
from .query_users_response import QueryUsersResponse
from .query_users_response_users import QueryUsersResponseUsers
from .remove_workspace_user_request import RemoveWorkspaceUserRequest
from .remove_workspace_user_response import RemoveWorkspaceUserResponse
from .set_assay_active_request import SetAssayActiveRequest
from .set_assay_active_response import SetAssayActiveResponse
from .tensors import Tensors
from .token import Token
from .token_error import TokenError
from .token_request import TokenRequest
from .undeploy_pipeline_request import UndeployPipelineRequest
from .upload_and_convert_model_request import UploadAndConvertModelRequest
from .upload_model_request import UploadModelRequest
from .upload_model_response import UploadModelResponse
from .user import User
from .user_access import UserAccess
from .visibility import Visibility
from .workspace import Workspace
from .workspace_user import WorkspaceUser

__all__ = (
    "ActivateUserRequest",
    "AddWorkspaceUserRequest",
    "Aggregation",
    "Architecture",
    "Assay",
    "AssayBaseline",
    "AssayBaselineRequest",
    "AssayBaselineRow",
    "AssayRequest",
    "AssayResult",
    "AssaySummarizer",
    "AssaySummarizerRequest",
    "AssaySummary",
    "AssayWindow",
    "AssayWindowRequest",
    "BinMode",
    "Conversion",
    "CopyPipelineRequest",
    "CopyPipelineRequestEngineConfig",
    "CopyPipelineResponse",
    "CreateAssayResponse",
    "CreatePipelineRequest",
    "CreatePipelineResponse",
    "CreateWorkspaceRequest",
    "CreateWorkspaceResponse",
    "DeactivateUserRequest",
    "DeploymentStatus",
    "DeployPipelineRequest",
    "DeployPipelineRequestEngineConfig",
    "DeployPipelineResponse",
    "EmptyObject",
    "EngineError",
    "EngineStatus",
    "Error",
    "FederatedIdentity",
    "FixedBaseline",
    "FixedBaselineRequest",
    "GetAssayBaselineRequest",
    "GetAssayResultsBetweenRequest",
    "GetAssayResultsRequest",
    "GetDeploymentStatusRequest",
    "GetModelByIdRequest",
    "GetModelConfigByIdRequest",
    "GetModelConfigByIdResponse",
    "GetModelRequest",
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
    "InviteUserRequest",
    "InviteUserResponse",
    "ListAssaysRequest",
    "ListFeaturesRequest",
    "ListFeaturesResponse",
    "ListFeaturesResponseFeatures",
    "ListModelsRequest",
    "ListModelsResponse",
    "ListModelVersionsRequest",
    "ListWorkspacesRequest",
    "ListWorkspacesResponse",
    "ListWorkspaceUsersRequest",
    "ListWorkspaceUsersResponse",
    "Metric",
    "Model",
    "ModelConfig",
    "ModelDetails",
    "ModelInferenceStep",
    "ModelMetadata",
    "ModelReference",
    "ModelStatus",
    "ModelStatuses",
    "ModelVersion",
    "ModelWithVersions",
    "PandasRecordsItem",
    "PipelineDefinition",
    "PipelineStatus",
    "PipelineStatuses",
    "PipelineStep",
    "PodStatus",
    "QueryUsersRequest",
    "QueryUsersResponse",
    "QueryUsersResponseUsers",
    "RemoveWorkspaceUserRequest",
    "RemoveWorkspaceUserResponse",
    "SetAssayActiveRequest",
    "SetAssayActiveResponse",
    "Tensors",
    "Token",
    "TokenError",
    "TokenRequest",
    "UndeployPipelineRequest",
    "UploadAndConvertModelRequest",
    "UploadModelRequest",
    "UploadModelResponse",
    "User",
    "UserAccess",
    "Visibility",
    "Workspace",
    "WorkspaceUser",
)

"""Contains all the data models used in inputs/outputs"""

from .activate_user_request import ActivateUserRequest
from .add_workspace_user_request import AddWorkspaceUserRequest
from .aggregation import Aggregation
from .architecture import Architecture
from .assay import Assay
from .assay_baseline import AssayBaseline
from .assay_baseline_request import AssayBaselineRequest
from .assay_baseline_row import AssayBaselineRow
from .assay_baseline_row_original_data import AssayBaselineRowOriginalData
from .assay_path_window_request import AssayPathWindowRequest
from .assay_preview_v2 import AssayPreviewV2
from .assay_request import AssayRequest
from .assay_result import AssayResult
from .assay_result_v2 import AssayResultV2
from .assay_scores import AssayScores
from .assay_summaries import AssaySummaries
from .assay_summarizer import AssaySummarizer
from .assay_summarizer_request import AssaySummarizerRequest
from .assay_summary import AssaySummary
from .assay_summary_request import AssaySummaryRequest
from .assay_thresholds import AssayThresholds
from .assay_v2 import AssayV2
from .assay_v2_baseline import AssayV2Baseline
from .assay_v2_baseline_request import AssayV2BaselineRequest
from .assay_v2_baseline_request_summary import AssayV2BaselineRequestSummary
from .assay_v2_baseline_summary import AssayV2BaselineSummary
from .assay_v2_bins import AssayV2Bins
from .assay_v2_bins_request import AssayV2BinsRequest
from .assay_v2_data_origin import AssayV2DataOrigin
from .assay_v2_data_origin_request import AssayV2DataOriginRequest
from .assay_v2_field import AssayV2Field
from .assay_v2_field_request import AssayV2FieldRequest
from .assay_v2_interval_request import AssayV2IntervalRequest
from .assay_v2_interval_request_unit import AssayV2IntervalRequestUnit
from .assay_v2_scheduling import AssayV2Scheduling
from .assay_v2_scheduling_request import AssayV2SchedulingRequest
from .assay_v2_scheduling_request_run_frequency import (
    AssayV2SchedulingRequestRunFrequency,
)
from .assay_v2_scheduling_run_frequency import AssayV2SchedulingRunFrequency
from .assay_v2_statistics import AssayV2Statistics
from .assay_v2_summarizer import AssayV2Summarizer
from .assay_v2_summarizer_request import AssayV2SummarizerRequest
from .assay_v2_summary import AssayV2Summary
from .assay_v2_targeting import AssayV2Targeting
from .assay_v2_targeting_request import AssayV2TargetingRequest
from .assay_v2_thresholds_request import AssayV2ThresholdsRequest
from .assay_v2_univariate_request import AssayV2UnivariateRequest
from .assay_v2_window import AssayV2Window
from .assay_v2_window_request import AssayV2WindowRequest
from .assay_v2_window_request_width import AssayV2WindowRequestWidth
from .assay_window import AssayWindow
from .assay_window_request import AssayWindowRequest
from .bin_mode import BinMode
from .calculated_assay_baseline_request import CalculatedAssayBaselineRequest
from .calculated_baseline import CalculatedBaseline
from .calculated_baseline_request import CalculatedBaselineRequest
from .configured_model_version import ConfiguredModelVersion
from .continuous_batching_config import ContinuousBatchingConfig
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
from .dynamic_batching_config import DynamicBatchingConfig
from .empty_object import EmptyObject
from .engine_error import EngineError
from .engine_status import EngineStatus
from .error import Error
from .federated_identity import FederatedIdentity
from .fixed_baseline import FixedBaseline
from .fixed_baseline_request import FixedBaselineRequest
from .framework_config import FrameworkConfig
from .get_assay_baseline_request import GetAssayBaselineRequest
from .get_assay_by_id_request import GetAssayByIdRequest
from .get_assay_results_between_request import GetAssayResultsBetweenRequest
from .get_assay_results_request import GetAssayResultsRequest
from .get_assay_results_v2_request import GetAssayResultsV2Request
from .get_assay_v2_by_id_request import GetAssayV2ByIdRequest
from .get_assay_v2_request import GetAssayV2Request
from .get_deployment_status_request import GetDeploymentStatusRequest
from .get_model_by_id_request import GetModelByIdRequest
from .get_model_config_by_id_request import GetModelConfigByIdRequest
from .get_model_config_by_id_response import GetModelConfigByIdResponse
from .get_model_request import GetModelRequest
from .get_model_upload_logs_request import GetModelUploadLogsRequest
from .get_model_upload_logs_response import GetModelUploadLogsResponse
from .get_model_version_by_id_request import GetModelVersionByIdRequest
from .get_model_version_by_id_response import GetModelVersionByIdResponse
from .get_next_assay_run_v2_request import GetNextAssayRunV2Request
from .get_next_assay_run_v2_response import GetNextAssayRunV2Response
from .get_pipeline_by_name_request import GetPipelineByNameRequest
from .get_pipeline_by_name_response import GetPipelineByNameResponse
from .get_pipeline_external_url_request import GetPipelineExternalUrlRequest
from .get_pipeline_external_url_response import GetPipelineExternalUrlResponse
from .get_pipeline_logs_request import GetPipelineLogsRequest
from .get_pipeline_version_request import GetPipelineVersionRequest
from .get_pipeline_version_response import GetPipelineVersionResponse
from .get_topic_name_request import GetTopicNameRequest
from .get_topic_name_response import GetTopicNameResponse
from .inference_metadata import InferenceMetadata
from .inference_output import InferenceOutput
from .inference_result import InferenceResult
from .inference_result_anomaly import InferenceResultAnomaly
from .inference_result_in import InferenceResultIn
from .inference_result_out import InferenceResultOut
from .inference_tensor import InferenceTensor
from .insert_model_config_request import InsertModelConfigRequest
from .insert_model_config_response import InsertModelConfigResponse
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
from .list_pipelines_request import ListPipelinesRequest
from .list_pipelines_response import ListPipelinesResponse
from .list_workspace_users_request import ListWorkspaceUsersRequest
from .list_workspace_users_response import ListWorkspaceUsersResponse
from .list_workspaces_request import ListWorkspacesRequest
from .list_workspaces_response import ListWorkspacesResponse
from .listed_pipeline import ListedPipeline
from .listed_pipeline_deployment import ListedPipelineDeployment
from .listed_pipeline_version import ListedPipelineVersion
from .metric import Metric
from .model import Model
from .model_config import ModelConfig
from .model_details import ModelDetails
from .model_file_info import ModelFileInfo
from .model_in_workspace import ModelInWorkspace
from .model_inference_step import ModelInferenceStep
from .model_metadata import ModelMetadata
from .model_reference import ModelReference
from .model_status import ModelStatus
from .model_statuses import ModelStatuses
from .model_version import ModelVersion
from .model_version_conversion import ModelVersionConversion
from .model_version_details import ModelVersionDetails
from .model_with_one_version import ModelWithOneVersion
from .model_with_versions import ModelWithVersions
from .openai_config import OpenaiConfig
from .pandas_records_item import PandasRecordsItem
from .pipeline import Pipeline
from .pipeline_definition import PipelineDefinition
from .pipeline_status import PipelineStatus
from .pipeline_statuses import PipelineStatuses
from .pipeline_step import PipelineStep
from .pipeline_version_definition import PipelineVersionDefinition
from .pod_status import PodStatus
from .preview_assay_baseline_v2_request import PreviewAssayBaselineV2Request
from .preview_assay_v2_request import PreviewAssayV2Request
from .query_users_request import QueryUsersRequest
from .query_users_response import QueryUsersResponse
from .query_users_response_users import QueryUsersResponseUsers
from .remove_workspace_user_request import RemoveWorkspaceUserRequest
from .remove_workspace_user_response import RemoveWorkspaceUserResponse
from .schedule_assay_v2_request import ScheduleAssayV2Request
from .set_assay_active_request import SetAssayActiveRequest
from .set_assay_active_response import SetAssayActiveResponse
from .set_assay_v2_active_request import SetAssayV2ActiveRequest
from .sliding_window import SlidingWindow
from .sliding_window_request import SlidingWindowRequest
from .static_assay_baseline_request import StaticAssayBaselineRequest
from .summarize_assay_baseline_request import SummarizeAssayBaselineRequest
from .tensors import Tensors
from .token import Token
from .token_error import TokenError
from .token_request import TokenRequest
from .topic_partition import TopicPartition
from .topic_partitions import TopicPartitions
from .topic_partitions_partitions import TopicPartitionsPartitions
from .topic_position import TopicPosition
from .topic_records import TopicRecords
from .undeploy_pipeline_request import UndeployPipelineRequest
from .upload_and_convert_model_request import UploadAndConvertModelRequest
from .upload_model_request import UploadModelRequest
from .upload_model_request_visibility import UploadModelRequestVisibility
from .upload_model_response import UploadModelResponse
from .user import User
from .user_access import UserAccess
from .visibility import Visibility
from .workspace import Workspace
from .workspace_summary import WorkspaceSummary
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
    "AssayBaselineRowOriginalData",
    "AssayPathWindowRequest",
    "AssayPreviewV2",
    "AssayRequest",
    "AssayResult",
    "AssayResultV2",
    "AssayScores",
    "AssaySummaries",
    "AssaySummarizer",
    "AssaySummarizerRequest",
    "AssaySummary",
    "AssaySummaryRequest",
    "AssayThresholds",
    "AssayV2",
    "AssayV2Baseline",
    "AssayV2BaselineRequest",
    "AssayV2BaselineRequestSummary",
    "AssayV2BaselineSummary",
    "AssayV2Bins",
    "AssayV2BinsRequest",
    "AssayV2DataOrigin",
    "AssayV2DataOriginRequest",
    "AssayV2Field",
    "AssayV2FieldRequest",
    "AssayV2IntervalRequest",
    "AssayV2IntervalRequestUnit",
    "AssayV2Scheduling",
    "AssayV2SchedulingRequest",
    "AssayV2SchedulingRequestRunFrequency",
    "AssayV2SchedulingRunFrequency",
    "AssayV2Statistics",
    "AssayV2Summarizer",
    "AssayV2SummarizerRequest",
    "AssayV2Summary",
    "AssayV2Targeting",
    "AssayV2TargetingRequest",
    "AssayV2ThresholdsRequest",
    "AssayV2UnivariateRequest",
    "AssayV2Window",
    "AssayV2WindowRequest",
    "AssayV2WindowRequestWidth",
    "AssayWindow",
    "AssayWindowRequest",
    "BinMode",
    "CalculatedAssayBaselineRequest",
    "CalculatedBaseline",
    "CalculatedBaselineRequest",
    "ConfiguredModelVersion",
    "ContinuousBatchingConfig",
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
    "DynamicBatchingConfig",
    "EmptyObject",
    "EngineError",
    "EngineStatus",
    "Error",
    "FederatedIdentity",
    "FixedBaseline",
    "FixedBaselineRequest",
    "FrameworkConfig",
    "GetAssayBaselineRequest",
    "GetAssayByIdRequest",
    "GetAssayResultsBetweenRequest",
    "GetAssayResultsRequest",
    "GetAssayResultsV2Request",
    "GetAssayV2ByIdRequest",
    "GetAssayV2Request",
    "GetDeploymentStatusRequest",
    "GetModelByIdRequest",
    "GetModelConfigByIdRequest",
    "GetModelConfigByIdResponse",
    "GetModelRequest",
    "GetModelUploadLogsRequest",
    "GetModelUploadLogsResponse",
    "GetModelVersionByIdRequest",
    "GetModelVersionByIdResponse",
    "GetNextAssayRunV2Request",
    "GetNextAssayRunV2Response",
    "GetPipelineByNameRequest",
    "GetPipelineByNameResponse",
    "GetPipelineExternalUrlRequest",
    "GetPipelineExternalUrlResponse",
    "GetPipelineLogsRequest",
    "GetPipelineVersionRequest",
    "GetPipelineVersionResponse",
    "GetTopicNameRequest",
    "GetTopicNameResponse",
    "InferenceMetadata",
    "InferenceOutput",
    "InferenceResult",
    "InferenceResultAnomaly",
    "InferenceResultIn",
    "InferenceResultOut",
    "InferenceTensor",
    "InsertedModel",
    "InsertedModels",
    "InsertedModelVersion",
    "InsertModelConfigRequest",
    "InsertModelConfigResponse",
    "InviteUserRequest",
    "InviteUserResponse",
    "ListAssaysRequest",
    "ListedPipeline",
    "ListedPipelineDeployment",
    "ListedPipelineVersion",
    "ListFeaturesRequest",
    "ListFeaturesResponse",
    "ListFeaturesResponseFeatures",
    "ListModelsRequest",
    "ListModelsResponse",
    "ListModelVersionsRequest",
    "ListPipelinesRequest",
    "ListPipelinesResponse",
    "ListWorkspacesRequest",
    "ListWorkspacesResponse",
    "ListWorkspaceUsersRequest",
    "ListWorkspaceUsersResponse",
    "Metric",
    "Model",
    "ModelConfig",
    "ModelDetails",
    "ModelFileInfo",
    "ModelInferenceStep",
    "ModelInWorkspace",
    "ModelMetadata",
    "ModelReference",
    "ModelStatus",
    "ModelStatuses",
    "ModelVersion",
    "ModelVersionConversion",
    "ModelVersionDetails",
    "ModelWithOneVersion",
    "ModelWithVersions",
    "OpenaiConfig",
    "PandasRecordsItem",
    "Pipeline",
    "PipelineDefinition",
    "PipelineStatus",
    "PipelineStatuses",
    "PipelineStep",
    "PipelineVersionDefinition",
    "PodStatus",
    "PreviewAssayBaselineV2Request",
    "PreviewAssayV2Request",
    "QueryUsersRequest",
    "QueryUsersResponse",
    "QueryUsersResponseUsers",
    "RemoveWorkspaceUserRequest",
    "RemoveWorkspaceUserResponse",
    "ScheduleAssayV2Request",
    "SetAssayActiveRequest",
    "SetAssayActiveResponse",
    "SetAssayV2ActiveRequest",
    "SlidingWindow",
    "SlidingWindowRequest",
    "StaticAssayBaselineRequest",
    "SummarizeAssayBaselineRequest",
    "Tensors",
    "Token",
    "TokenError",
    "TokenRequest",
    "TopicPartition",
    "TopicPartitions",
    "TopicPartitionsPartitions",
    "TopicPosition",
    "TopicRecords",
    "UndeployPipelineRequest",
    "UploadAndConvertModelRequest",
    "UploadModelRequest",
    "UploadModelRequestVisibility",
    "UploadModelResponse",
    "User",
    "UserAccess",
    "Visibility",
    "Workspace",
    "WorkspaceSummary",
    "WorkspaceUser",
)

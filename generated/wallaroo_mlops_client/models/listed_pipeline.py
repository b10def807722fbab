from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.listed_pipeline_deployment import ListedPipelineDeployment
    from ..models.listed_pipeline_version import ListedPipelineVersion
    from ..models.pipeline import Pipeline
    from ..models.workspace_summary import WorkspaceSummary


T = TypeVar("T", bound="ListedPipeline")


@_attrs_define(repr=False)
class ListedPipeline(ApiModel):
    """A pipeline with its workspace, its newest version and its deployment.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    pipeline: Pipeline
    """ A pipeline, which has one version or several.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    plateau_topic: str | Unset = UNSET
    """ The topic that its inferences are logged to. """
    workspace: WorkspaceSummary | Unset = UNSET
    """ The workspace that a thing is in.

    Source: recordings, "/v1/api/models/list" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server"
    (observed). """
    pipeline_version: ListedPipelineVersion | None | Unset = UNSET
    """ Its newest version. """
    deployment: ListedPipelineDeployment | None | Unset = UNSET
    """ Its deployment. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.listed_pipeline_deployment import ListedPipelineDeployment  # noqa: PLC0415
        from ..models.listed_pipeline_version import ListedPipelineVersion  # noqa: PLC0415

        pipeline = self.pipeline.to_dict()

        plateau_topic = self.plateau_topic

        workspace: dict[str, Any] | Unset = UNSET
        if not isinstance(self.workspace, Unset):
            workspace = self.workspace.to_dict()

        pipeline_version: dict[str, Any] | None | Unset
        if isinstance(self.pipeline_version, Unset):
            pipeline_version = UNSET
        elif isinstance(self.pipeline_version, ListedPipelineVersion):
            pipeline_version = self.pipeline_version.to_dict()
        else:
            pipeline_version = self.pipeline_version

        deployment: dict[str, Any] | None | Unset
        if isinstance(self.deployment, Unset):
            deployment = UNSET
        elif isinstance(self.deployment, ListedPipelineDeployment):
            deployment = self.deployment.to_dict()
        else:
            deployment = self.deployment

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline": pipeline,
            }
        )
        if plateau_topic is not UNSET:
            field_dict["plateau_topic"] = plateau_topic
        if workspace is not UNSET:
            field_dict["workspace"] = workspace
        if pipeline_version is not UNSET:
            field_dict["pipeline_version"] = pipeline_version
        if deployment is not UNSET:
            field_dict["deployment"] = deployment

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.listed_pipeline_deployment import ListedPipelineDeployment  # noqa: PLC0415
        from ..models.listed_pipeline_version import ListedPipelineVersion  # noqa: PLC0415
        from ..models.pipeline import Pipeline  # noqa: PLC0415
        from ..models.workspace_summary import WorkspaceSummary  # noqa: PLC0415

        d = dict(src_dict)
        pipeline = Pipeline.from_dict(d.pop("pipeline"))

        plateau_topic = d.pop("plateau_topic", UNSET)

        _workspace = d.pop("workspace", UNSET)
        workspace: WorkspaceSummary | Unset
        if isinstance(_workspace, Unset):
            workspace = UNSET
        else:
            workspace = WorkspaceSummary.from_dict(_workspace)

        def _parse_pipeline_version(
            data: object,
        ) -> ListedPipelineVersion | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                pipeline_version_type_0 = ListedPipelineVersion.from_dict(data)

                return pipeline_version_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ListedPipelineVersion | None | Unset, data)

        pipeline_version = _parse_pipeline_version(d.pop("pipeline_version", UNSET))

        def _parse_deployment(data: object) -> ListedPipelineDeployment | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                deployment_type_0 = ListedPipelineDeployment.from_dict(data)

                return deployment_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ListedPipelineDeployment | None | Unset, data)

        deployment = _parse_deployment(d.pop("deployment", UNSET))

        listed_pipeline = cls(
            pipeline=pipeline,
            plateau_topic=plateau_topic,
            workspace=workspace,
            pipeline_version=pipeline_version,
            deployment=deployment,
        )

        listed_pipeline.additional_properties = d
        return listed_pipeline

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.architecture import Architecture
from ..types import UNSET, Unset

T = TypeVar("T", bound="Conversion")


@_attrs_define
class Conversion:
    """What the file is, and what it needs to run.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (example); field-notes, "Models" (observed).

    """

    framework: str
    """ The framework that the model was written with, `onnx` for one. The documents name no other value. """
    python_version: str | Unset = UNSET
    """ The version of Python that the model needs, such as `3.8`. """
    requirements: list[str] | Unset = UNSET
    """ The packages that the model needs beyond those of the instance. """
    arch: Architecture | Unset = UNSET
    """ The processors that the model is deployed on; deployments inherit it.

    Source: pipeline-management-guide, "Target Architecture for ARM Deployment" (example). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        framework = self.framework

        python_version = self.python_version

        requirements: list[str] | Unset = UNSET
        if not isinstance(self.requirements, Unset):
            requirements = self.requirements

        arch: str | Unset = UNSET
        if not isinstance(self.arch, Unset):
            arch = self.arch.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "framework": framework,
            }
        )
        if python_version is not UNSET:
            field_dict["python_version"] = python_version
        if requirements is not UNSET:
            field_dict["requirements"] = requirements
        if arch is not UNSET:
            field_dict["arch"] = arch

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        framework = d.pop("framework")

        python_version = d.pop("python_version", UNSET)

        requirements = cast(list[str], d.pop("requirements", UNSET))

        _arch = d.pop("arch", UNSET)
        arch: Architecture | Unset
        if isinstance(_arch, Unset):
            arch = UNSET
        else:
            arch = Architecture(_arch)

        conversion = cls(
            framework=framework,
            python_version=python_version,
            requirements=requirements,
            arch=arch,
        )

        conversion.additional_properties = d
        return conversion

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

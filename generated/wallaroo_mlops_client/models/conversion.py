from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.architecture import Architecture
from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.framework_config import FrameworkConfig


T = TypeVar("T", bound="Conversion")


@_attrs_define(repr=False)
class Conversion(ApiModel):
    """What the file is, and what it needs to run.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (example); field-notes, "Models" (observed); vendor-sdk,
    "What the vendor's own SDK asks of a server" (observed).

    """

    framework: str
    """ The framework that the model was written with, `onnx` for one. The documents name no other value. """
    python_version: str | Unset = UNSET
    """ The version of Python that the model needs, such as `3.8`. The table says that it is required, and every
    request that was shown has it; that an instance refuses one without it, no source shows. """
    requirements: list[str] | Unset = UNSET
    """ The packages that the model needs beyond those of the instance. The table calls it a string and required; it
    is a list in every request, `[]` where there are none, and no source shows one refused without it. """
    arch: Architecture | None | Unset = UNSET
    """ The processors that the model is deployed on; deployments inherit it. """
    accel: Any | Unset = UNSET
    """ The accelerator that the model needs, `none` for none. """
    framework_config: FrameworkConfig | None | Unset = UNSET
    """ The settings of the framework. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.framework_config import FrameworkConfig  # noqa: PLC0415

        framework = self.framework

        python_version = self.python_version

        requirements: list[str] | Unset = UNSET
        if not isinstance(self.requirements, Unset):
            requirements = self.requirements

        arch: None | str | Unset
        if isinstance(self.arch, Unset):
            arch = UNSET
        elif isinstance(self.arch, Architecture):
            arch = self.arch.value
        else:
            arch = self.arch

        accel = self.accel

        framework_config: dict[str, Any] | None | Unset
        if isinstance(self.framework_config, Unset):
            framework_config = UNSET
        elif isinstance(self.framework_config, FrameworkConfig):
            framework_config = self.framework_config.to_dict()
        else:
            framework_config = self.framework_config

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
        if accel is not UNSET:
            field_dict["accel"] = accel
        if framework_config is not UNSET:
            field_dict["framework_config"] = framework_config

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.framework_config import FrameworkConfig  # noqa: PLC0415

        d = dict(src_dict)
        framework = d.pop("framework")

        python_version = d.pop("python_version", UNSET)

        requirements = cast(list[str], d.pop("requirements", UNSET))

        def _parse_arch(data: object) -> Architecture | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                arch_type_0 = Architecture(data)

                return arch_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Architecture | None | Unset, data)

        arch = _parse_arch(d.pop("arch", UNSET))

        accel = d.pop("accel", UNSET)

        def _parse_framework_config(data: object) -> FrameworkConfig | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                framework_config_type_0 = FrameworkConfig.from_dict(data)

                return framework_config_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(FrameworkConfig | None | Unset, data)

        framework_config = _parse_framework_config(d.pop("framework_config", UNSET))

        conversion = cls(
            framework=framework,
            python_version=python_version,
            requirements=requirements,
            arch=arch,
            accel=accel,
            framework_config=framework_config,
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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.topic_partitions_partitions import TopicPartitionsPartitions


T = TypeVar("T", bound="TopicPartitions")


@_attrs_define(repr=False)
class TopicPartitions(ApiModel):
    """The partitions of a topic.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    partitions: TopicPartitionsPartitions
    """ The partitions by their names; none where nothing is logged. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        partitions = self.partitions.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "partitions": partitions,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.topic_partitions_partitions import TopicPartitionsPartitions  # noqa: PLC0415

        d = dict(src_dict)
        partitions = TopicPartitionsPartitions.from_dict(d.pop("partitions"))

        topic_partitions = cls(
            partitions=partitions,
        )

        topic_partitions.additional_properties = d
        return topic_partitions

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.topic_position import TopicPosition


T = TypeVar("T", bound="TopicRecords")


@_attrs_define(repr=False)
class TopicRecords(ApiModel):
    """A page of a topic's rows.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    records: list[str]
    """ The rows, each as a JSON text in the form of an inference's answer. """
    status: str | Unset = UNSET
    """ As `x-iteration-status` of `pipelines/get_logs`. """
    next_: None | TopicPosition | Unset = UNSET
    """ Where the next page begins; null where there is none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.topic_position import TopicPosition  # noqa: PLC0415

        records = self.records

        status = self.status

        next_: dict[str, Any] | None | Unset
        if isinstance(self.next_, Unset):
            next_ = UNSET
        elif isinstance(self.next_, TopicPosition):
            next_ = self.next_.to_dict()
        else:
            next_ = self.next_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "records": records,
            }
        )
        if status is not UNSET:
            field_dict["status"] = status
        if next_ is not UNSET:
            field_dict["next"] = next_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.topic_position import TopicPosition  # noqa: PLC0415

        d = dict(src_dict)
        records = cast(list[str], d.pop("records"))

        status = d.pop("status", UNSET)

        def _parse_next_(data: object) -> None | TopicPosition | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                next_type_0 = TopicPosition.from_dict(data)

                return next_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TopicPosition | Unset, data)

        next_ = _parse_next_(d.pop("next", UNSET))

        topic_records = cls(
            records=records,
            status=status,
            next_=next_,
        )

        topic_records.additional_properties = d
        return topic_records

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.query_users_response_users import QueryUsersResponseUsers


T = TypeVar("T", bound="QueryUsersResponse")


@_attrs_define(repr=False)
class QueryUsersResponse(ApiModel):
    """Users by their Keycloak ids.

    Source: mlops-api-tutorial, "Get Users" (recorded); field-notes, "Users, workspaces" (observed).

    """

    users: QueryUsersResponseUsers
    """ The users; null for an id that nobody has. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        users = self.users.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "users": users,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.query_users_response_users import QueryUsersResponseUsers  # noqa: PLC0415

        d = dict(src_dict)
        users = QueryUsersResponseUsers.from_dict(d.pop("users"))

        query_users_response = cls(
            users=users,
        )

        query_users_response.additional_properties = d
        return query_users_response

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

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="Token")


@_attrs_define(repr=False)
class Token(ApiModel):
    """A bearer token. Lifetimes are in seconds from the answer on.

    Source: mlops-api-tutorial, "Token Types" (example); field-notes, "Keycloak" (observed).

    """

    access_token: str
    """ The token to send in the header `Authorization`. """
    expires_in: int | Unset = UNSET
    """ How long the access token lives, in seconds. """
    refresh_token: str | Unset = UNSET
    """ What to renew the token with. Missing with `client_credentials`. """
    refresh_expires_in: int | Unset = UNSET
    """ How long the refresh token lives, in seconds; 0 for one that does not expire. """
    id_token: str | Unset = UNSET
    """ What OpenID Connect says of the user; with the scope `openid`. """
    token_type: str | Unset = UNSET
    """ How the token is used. """
    not_before_policy: int | Unset = UNSET
    """ Tokens issued before this time are refused, in seconds since 1970; 0 for none. """
    session_state: str | Unset = UNSET
    """ The Keycloak session. """
    scope: str | Unset = UNSET
    """ What was granted, separated by spaces. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        access_token = self.access_token

        expires_in = self.expires_in

        refresh_token = self.refresh_token

        refresh_expires_in = self.refresh_expires_in

        id_token = self.id_token

        token_type = self.token_type

        not_before_policy = self.not_before_policy

        session_state = self.session_state

        scope = self.scope

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "access_token": access_token,
            }
        )
        if expires_in is not UNSET:
            field_dict["expires_in"] = expires_in
        if refresh_token is not UNSET:
            field_dict["refresh_token"] = refresh_token
        if refresh_expires_in is not UNSET:
            field_dict["refresh_expires_in"] = refresh_expires_in
        if id_token is not UNSET:
            field_dict["id_token"] = id_token
        if token_type is not UNSET:
            field_dict["token_type"] = token_type
        if not_before_policy is not UNSET:
            field_dict["not-before-policy"] = not_before_policy
        if session_state is not UNSET:
            field_dict["session_state"] = session_state
        if scope is not UNSET:
            field_dict["scope"] = scope

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        access_token = d.pop("access_token")

        expires_in = d.pop("expires_in", UNSET)

        refresh_token = d.pop("refresh_token", UNSET)

        refresh_expires_in = d.pop("refresh_expires_in", UNSET)

        id_token = d.pop("id_token", UNSET)

        token_type = d.pop("token_type", UNSET)

        not_before_policy = d.pop("not-before-policy", UNSET)

        session_state = d.pop("session_state", UNSET)

        scope = d.pop("scope", UNSET)

        token = cls(
            access_token=access_token,
            expires_in=expires_in,
            refresh_token=refresh_token,
            refresh_expires_in=refresh_expires_in,
            id_token=id_token,
            token_type=token_type,
            not_before_policy=not_before_policy,
            session_state=session_state,
            scope=scope,
        )

        token.additional_properties = d
        return token

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

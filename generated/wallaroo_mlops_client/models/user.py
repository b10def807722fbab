from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.federated_identity import FederatedIdentity
    from ..models.user_access import UserAccess


T = TypeVar("T", bound="User")


@_attrs_define(repr=False)
class User(ApiModel):
    """A user as Keycloak represents one. The three required fields are those that are promised; what else was recorded
    comes and goes with Keycloak's own releases.

    Source: mlops-api-tutorial, "Get Users" (recorded); api-essentials-guide, "Get Users" (recorded); field-notes,
    "Users, workspaces" (observed); recordings, "/v1/api/users/query" (recorded).

    """

    id: str
    """ The Keycloak id. """
    username: str
    """ The name to sign in with. """
    enabled: bool
    """ Whether the user may sign in. """
    email: str | Unset = UNSET
    """ The e-mail address. """
    email_verified: bool | Unset = UNSET
    """ Whether the address was verified. """
    first_name: str | Unset = UNSET
    """ The first name. """
    last_name: str | Unset = UNSET
    """ The last name. """
    created_timestamp: int | Unset = UNSET
    """ When the user was made, in milliseconds since 1970. """
    not_before: int | Unset = UNSET
    """ Tokens issued before this time are refused, in seconds since 1970; 0 for none. """
    required_actions: list[str] | Unset = UNSET
    """ What the user has to do at the next sign-in. """
    disableable_credential_types: list[str] | Unset = UNSET
    """ The kinds of credentials that can be disabled. """
    access: UserAccess | Unset = UNSET
    """ What the caller may do with the user, by name. """
    totp: bool | Unset = UNSET
    """ Whether the user signs in with a one-time password, too; in releases of 2022. """
    last_login: int | None | Unset = UNSET
    """ When the user signed in last, in milliseconds since 1970; in releases from 2024 on. """
    realm_roles: list[str] | None | Unset = UNSET
    """ The user's roles; in releases from 2024 on. """
    federated_identities: list[FederatedIdentity] | Unset = UNSET
    """ The user's accounts at other identity providers; there only when ids were asked for. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        username = self.username

        enabled = self.enabled

        email = self.email

        email_verified = self.email_verified

        first_name = self.first_name

        last_name = self.last_name

        created_timestamp = self.created_timestamp

        not_before = self.not_before

        required_actions: list[str] | Unset = UNSET
        if not isinstance(self.required_actions, Unset):
            required_actions = self.required_actions

        disableable_credential_types: list[str] | Unset = UNSET
        if not isinstance(self.disableable_credential_types, Unset):
            disableable_credential_types = self.disableable_credential_types

        access: dict[str, Any] | Unset = UNSET
        if not isinstance(self.access, Unset):
            access = self.access.to_dict()

        totp = self.totp

        last_login: int | None | Unset
        if isinstance(self.last_login, Unset):
            last_login = UNSET
        else:
            last_login = self.last_login

        realm_roles: list[str] | None | Unset
        if isinstance(self.realm_roles, Unset):
            realm_roles = UNSET
        elif isinstance(self.realm_roles, list):
            realm_roles = self.realm_roles

        else:
            realm_roles = self.realm_roles

        federated_identities: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.federated_identities, Unset):
            federated_identities = []
            for federated_identities_item_data in self.federated_identities:
                federated_identities_item = federated_identities_item_data.to_dict()
                federated_identities.append(federated_identities_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "username": username,
                "enabled": enabled,
            }
        )
        if email is not UNSET:
            field_dict["email"] = email
        if email_verified is not UNSET:
            field_dict["emailVerified"] = email_verified
        if first_name is not UNSET:
            field_dict["firstName"] = first_name
        if last_name is not UNSET:
            field_dict["lastName"] = last_name
        if created_timestamp is not UNSET:
            field_dict["createdTimestamp"] = created_timestamp
        if not_before is not UNSET:
            field_dict["notBefore"] = not_before
        if required_actions is not UNSET:
            field_dict["requiredActions"] = required_actions
        if disableable_credential_types is not UNSET:
            field_dict["disableableCredentialTypes"] = disableable_credential_types
        if access is not UNSET:
            field_dict["access"] = access
        if totp is not UNSET:
            field_dict["totp"] = totp
        if last_login is not UNSET:
            field_dict["lastLogin"] = last_login
        if realm_roles is not UNSET:
            field_dict["realmRoles"] = realm_roles
        if federated_identities is not UNSET:
            field_dict["federatedIdentities"] = federated_identities

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.federated_identity import FederatedIdentity  # noqa: PLC0415
        from ..models.user_access import UserAccess  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        username = d.pop("username")

        enabled = d.pop("enabled")

        email = d.pop("email", UNSET)

        email_verified = d.pop("emailVerified", UNSET)

        first_name = d.pop("firstName", UNSET)

        last_name = d.pop("lastName", UNSET)

        created_timestamp = d.pop("createdTimestamp", UNSET)

        not_before = d.pop("notBefore", UNSET)

        required_actions = cast(list[str], d.pop("requiredActions", UNSET))

        disableable_credential_types = cast(
            list[str], d.pop("disableableCredentialTypes", UNSET)
        )

        _access = d.pop("access", UNSET)
        access: UserAccess | Unset
        if isinstance(_access, Unset):
            access = UNSET
        else:
            access = UserAccess.from_dict(_access)

        totp = d.pop("totp", UNSET)

        def _parse_last_login(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        last_login = _parse_last_login(d.pop("lastLogin", UNSET))

        def _parse_realm_roles(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                realm_roles_type_0 = cast(list[str], data)

                return realm_roles_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        realm_roles = _parse_realm_roles(d.pop("realmRoles", UNSET))

        _federated_identities = d.pop("federatedIdentities", UNSET)
        federated_identities: list[FederatedIdentity] | Unset = UNSET
        if _federated_identities is not UNSET:
            federated_identities = []
            for federated_identities_item_data in _federated_identities:
                federated_identities_item = FederatedIdentity.from_dict(
                    federated_identities_item_data
                )

                federated_identities.append(federated_identities_item)

        user = cls(
            id=id,
            username=username,
            enabled=enabled,
            email=email,
            email_verified=email_verified,
            first_name=first_name,
            last_name=last_name,
            created_timestamp=created_timestamp,
            not_before=not_before,
            required_actions=required_actions,
            disableable_credential_types=disableable_credential_types,
            access=access,
            totp=totp,
            last_login=last_login,
            realm_roles=realm_roles,
            federated_identities=federated_identities,
        )

        user.additional_properties = d
        return user

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

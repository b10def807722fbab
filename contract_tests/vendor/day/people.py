"""The morning: signing in, workspaces, and the people in them."""

from __future__ import annotations

from contract_tests.vendor.day.calls import ABSENT, Calls, Day, among, equal, sdk

PEOPLE = Calls()
ADA, BOB = "ada@example.com", "bob@example.com"


def emails(day: Day) -> set[str]:
    """Return the addresses of the people in the day's workspace."""
    return {user.email() for user in day["workspace"].users()}


@PEOPLE.add('Client(api_endpoint=…, auth_type="user_password")', "signs in", "the address of the sandbox's user")
def sign_in(day: Day) -> None:
    day.client = sdk().Client(api_endpoint=day.environment["WALLAROO_API_URL"], auth_type="user_password")
    equal(day.client.auth.user_email(), day.environment["WALLAROO_USER"])


@PEOPLE.add("Client.get_current_workspace()", "finds the user's own workspace", "the default workspace")
def get_current_workspace(day: Day) -> None:
    day["own"] = day.client.get_current_workspace()
    among("Default Workspace", day["own"].name())


@PEOPLE.add("Client.list_workspaces()", "lists workspaces", "the default workspace, with its id")
def list_workspaces(day: Day) -> None:
    equal([workspace.id() for workspace in day.client.list_workspaces()], [day["own"].id()])


@PEOPLE.add("Client.create_workspace(name)", "creates a workspace", "a workspace of that name, by the user")
def create_workspace(day: Day) -> None:
    day["workspace"] = day.client.create_workspace("day")
    equal(day["workspace"].name(), "day")
    user = day.client.auth  # servers from 2024 on name the creator by the address
    equal(day["workspace"].created_by(), user.user_email() if day.is_new else user.user_id())


@PEOPLE.add("Client.get_workspace(name)", "finds a workspace", "the id of the one just created", old=ABSENT)
def get_workspace(day: Day) -> None:
    equal(day.client.get_workspace("day").id(), day["workspace"].id())


@PEOPLE.add(
    "Client.get_workspace(name, create_if_not_exist=True)", "creates what is missing", "a further one", old=ABSENT
)
def get_or_create_workspace(day: Day) -> None:
    equal(day.client.get_workspace("evening", create_if_not_exist=True).name(), "evening")
    among("evening", [workspace.name() for workspace in day.client.list_workspaces()])


@PEOPLE.add("Client.set_current_workspace(workspace)", "goes to a workspace", "its id, as the current one")
def set_current_workspace(day: Day) -> None:
    day.client.set_current_workspace(day["workspace"])
    equal(day.client.get_current_workspace().id(), day["workspace"].id())


@PEOPLE.add("Client.invite_user(email, password)", "invites a person", "the id of a new user")
def invite_user(day: Day) -> None:
    day["ada"] = day.client.invite_user(ADA, "a password for Ada")["id"]
    day["bob"] = day.client.invite_user(BOB, "a password for Bob")["id"]
    equal(len({day["ada"], day["bob"], day.client.auth.user_id()}), 3)


@PEOPLE.add("Client.list_users()", "lists users", "the sandbox's user and the two who were invited")
def list_users(day: Day) -> None:
    equal({user.email() for user in day.client.list_users()}, {day.environment["WALLAROO_USER"], ADA, BOB})


@PEOPLE.add("Client.get_user_by_email(email)", "finds a user", "the id that was given at the invitation")
def get_user_by_email(day: Day) -> None:
    equal(day.client.get_user_by_email(ADA).id(), day["ada"])
    equal(day.client.get_user_by_email("nobody@example.com"), None)


@PEOPLE.add("Client.get_email_by_id(id)", "finds an address", "the address of the invitation")
def get_email_by_id(day: Day) -> None:
    equal(day.client.get_email_by_id(day["ada"]), ADA)


@PEOPLE.add("Workspace.add_user(email)", "lets a person in", "two addresses in the workspace")
def add_user(day: Day) -> None:
    day["workspace"].add_user(ADA)
    equal(emails(day), {day.environment["WALLAROO_USER"], ADA})


@PEOPLE.add("Workspace.add_owner(email)", "lets an owner in", "three addresses in the workspace")
def add_owner(day: Day) -> None:
    day["workspace"].add_owner(BOB)
    equal(emails(day), {day.environment["WALLAROO_USER"], ADA, BOB})


@PEOPLE.add("Workspace.remove_user(email)", "removes a person", "two addresses in the workspace")
def remove_user(day: Day) -> None:
    day["workspace"].remove_user(BOB)
    equal(emails(day), {day.environment["WALLAROO_USER"], ADA})


@PEOPLE.add("Client.deactivate_user(email)", "locks a user out", "a user who is not enabled")
def deactivate_user(day: Day) -> None:
    day.client.deactivate_user(BOB)
    equal(day.client.get_user_by_email(BOB).enabled(), False)


@PEOPLE.add("Client.activate_user(email)", "lets the user in again", "a user who is enabled")
def activate_user(day: Day) -> None:
    day.client.activate_user(BOB)
    equal(day.client.get_user_by_email(BOB).enabled(), True)

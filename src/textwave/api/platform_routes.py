"""Platform accounts over HTTP; changing them is for administrators."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from textwave.api.entry import Name, Rt, Who
from textwave.api.platform_shapes import (
    DeletedPlatform,
    KeyToReplace,
    Platform,
    PlatformToAdd,
    PlatformToChange,
    TestedConnection,
)
from textwave.api.shapes import Page
from textwave.connections import editing_operations as editing
from textwave.connections import store
from textwave.connections.editing_operations import ShownAccount
from textwave.connections.operations import add_platform, connect_platform
from textwave.connections.push import push_addresses
from textwave.connections.testing_operations import check_connection
from textwave.wiring import public_url

routes = APIRouter()
Named = Annotated[Name, Path()]


@routes.get("/platforms", tags=["platforms"], summary="List the platforms.")
async def list_platforms(
    runtime: Rt,
    caller: Who,
    of: Annotated[
        Literal["workspace", "organization"],
        Query(description="organization: also those that the workspace may not use, and retired."),
    ] = "workspace",
) -> Page[Platform]:
    """Return the platform accounts that the workspace may use, or all of the organization."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        if of == "organization":
            shown = await editing.shown_accounts(connection, caller=caller)
        else:
            found = await store.platforms(connection, workspace_id=caller.workspace_id)
            shown = [ShownAccount(account, []) for account in found]
    return Page(items=[Platform.of(one) for one in shown])


@routes.post("/platforms", tags=["platforms"], status_code=201, summary="Add a platform.")
async def create_platform(runtime: Rt, caller: Who, new: PlatformToAdd) -> Platform:
    """Add a platform account for the workspace. Its key is kept sealed."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await add_platform(connection, runtime.vault, caller=caller, new=new.account())
        shown = await editing.shown_account(connection, caller=caller, name=new.name)
    return Platform.of(shown)


@routes.get("/platforms/{name}", tags=["platforms"], summary="Read a platform.")
async def read_platform(runtime: Rt, caller: Who, name: Named) -> Platform:
    """Return an account; for administrators with its workspaces and callback addresses."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.shown_account(connection, caller=caller, name=name)
    if not caller.is_administrator:
        return Platform.of(shown)
    url = public_url(runtime.settings)
    return Platform.of(shown, push_addresses(shown.account, runtime.vault, url))


@routes.patch("/platforms/{name}", tags=["platforms"], summary="Change a platform.")
async def change_platform(
    runtime: Rt, caller: Who, name: Named, wanted: PlatformToChange
) -> Platform:
    """Change what is given of an account; the rest stays."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.edit_platform(
            connection, caller=caller, name=name, change=wanted.change()
        )
    return Platform.of(shown)


@routes.put("/platforms/{name}/key", tags=["platforms"], summary="Replace a platform's key.")
async def put_platform_key(runtime: Rt, caller: Who, name: Named, wanted: KeyToReplace) -> Platform:
    """Replace the key; it is kept sealed and never read again."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.replace_key(
            connection,
            runtime.vault,
            caller=caller,
            name=name,
            key=wanted.key.get_secret_value(),
            key_id=wanted.key_id,
            now=runtime.clock.now(),
        )
    return Platform.of(shown)


@routes.delete("/platforms/{name}", tags=["platforms"], summary="Delete a platform.")
async def remove_platform(
    runtime: Rt,
    caller: Who,
    name: Named,
    confirm: Annotated[Name, Query(description="The name again.")],
) -> DeletedPlatform:
    """Delete an account that nothing ever used; retire one that was used."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        gone = await editing.delete_platform(
            connection, caller=caller, name=name, confirmation=confirm
        )
    return DeletedPlatform(name=name, gone=gone)


@routes.put(
    "/platforms/{name}/workspaces/{workspace:path}",
    tags=["platforms"],
    summary="Let a workspace use a platform.",
)
async def admit_to_platform(runtime: Rt, caller: Who, name: Named, workspace: Named) -> Platform:
    """Let a workspace of the organization use an account."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.admit_workspace(
            connection, caller=caller, name=name, workspace=workspace
        )
    return Platform.of(shown)


@routes.delete(
    "/platforms/{name}/workspaces/{workspace:path}",
    tags=["platforms"],
    summary="Let a workspace use a platform no longer.",
)
async def withdraw_from_platform(
    runtime: Rt, caller: Who, name: Named, workspace: Named
) -> Platform:
    """Let a workspace use an account no longer; what it sent still comes back."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.withdraw_workspace(
            connection, caller=caller, name=name, workspace=workspace
        )
    return Platform.of(shown)


@routes.post(
    "/platforms/{name}/connect", tags=["platforms"], summary="Ask the platform about the account."
)
async def connect(runtime: Rt, caller: Who, name: Named) -> Platform:
    """Keep the rate, batch size and capabilities that the platform says."""
    await connect_platform(runtime.ledger, runtime.open_platform, caller=caller, name=name)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.shown_account(connection, caller=caller, name=name)
    return Platform.of(shown)


@routes.post(
    "/platforms/{name}/renew-address",
    tags=["platforms"],
    summary="Give a platform new addresses to push to.",
)
async def renew_address(runtime: Rt, caller: Who, name: Named) -> Platform:
    """Make new addresses, to be entered at the platform; the old ones take nothing any more."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        shown = await editing.renew_push_address(connection, caller=caller, name=name)
    url = public_url(runtime.settings)
    return Platform.of(shown, push_addresses(shown.account, runtime.vault, url))


@routes.post("/platforms/{name}/test", tags=["platforms"], summary="Test a platform's connection.")
async def try_platform(runtime: Rt, caller: Who, name: Named) -> TestedConnection:
    """Check from its name in the DNS to its callbacks, and say what is wrong and what to do."""
    found = await check_connection(
        runtime.ledger,
        runtime.open_platform,
        runtime.http,
        runtime.vault,
        caller=caller,
        name=name,
        public_url=public_url(runtime.settings),
        now=runtime.clock.now(),
    )
    return TestedConnection.model_validate(found)

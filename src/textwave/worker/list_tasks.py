"""Jobs of uploaded lists, opt-outs, profiles and downloads by their names."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.downloads import operations as downloads
from textwave.downloads import opt_out_operations as exports
from textwave.lists import operations as lists
from textwave.profiles import operations as profiles
from textwave.suppression import import_operations as imports
from textwave.wiring import Runtime


def list_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs."""
    ledger, warehouse = runtime.ledger, runtime.warehouse
    uploading = lists.Uploading(ledger, warehouse, runtime.clock, runtime.vault)

    async def upload(**job: Any) -> None:
        await lists.run_upload(uploading, **job)

    async def sweep(**job: Any) -> None:
        await lists.run_sweep(ledger=ledger, warehouse=warehouse, **job)

    async def profile(**job: Any) -> None:
        await profiles.run_profile(ledger=ledger, warehouse=warehouse, **job)

    async def download(**job: Any) -> None:
        folder = runtime.settings.shared_folder / "downloads"
        await downloads.run_download(ledger=ledger, warehouse=warehouse, folder=folder, **job)

    async def import_opt_outs(**job: Any) -> None:
        await imports.run_import(ledger=ledger, clock=runtime.clock, **job)

    async def export_opt_outs(**job: Any) -> None:
        folder = runtime.settings.shared_folder / "downloads"
        await exports.run_export(ledger=ledger, folder=folder, **job)

    return {
        imports.IMPORT: import_opt_outs,
        exports.EXPORT: export_opt_outs,
        lists.UPLOAD: upload,
        lists.SWEEP: sweep,
        profiles.PROFILE: profile,
        downloads.DOWNLOAD: download,
    }

"""The command `textwave` and its sub-commands; a refusal is one sentence on stderr, status 1."""

import sys

import typer

from textwave.cli import (
    audience_life,
    campaigns,
    counting,
    demo,
    digital,
    doubts,
    downloads,
    encryption,
    feeds,
    keys,
    limits,
    links,
    lists,
    materials,
    messages,
    models,
    numbers,
    operations,
    platforms,
    processes,
    profiles,
    repeats,
    retention,
    schedules,
    signatures,
    simulators,
    suppression,
    tables,
    templates,
)
from textwave.kit.refusal import Refusal

app = typer.Typer(
    help="Textwave: SMS marketing, every recipient accounted for.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, command in {
    "up": processes.up,
    "down": processes.down,
    "web": processes.web,
    "links": processes.links,
    "worker": processes.worker,
    "sandbox": simulators.sandbox_command(),
    "aliyun-sandbox": simulators.aliyun_sandbox_command(),
    "demo": demo.demo,
    "settings": processes.list_settings,
    "count": counting.count_text,
}.items():
    app.command(name)(command)

keys.app.command("show")(processes.show_key)
app.add_typer(keys.app, name="key")

database = typer.Typer(help="The database.", no_args_is_help=True)
database.command("migrate")(processes.migrate_database)
app.add_typer(database, name="database")

for name, command in {
    "upload": lists.upload,
    "profile": profiles.profile,
    "download": downloads.download,
}.items():
    audience_life.app.command(name)(command)

for name, command in {
    "schedule": schedules.schedule,
    "unschedule": schedules.unschedule,
    "edit": schedules.edit,
    "delete": schedules.delete,
}.items():
    campaigns.app.command(name)(command)
for name, command in {
    "copy": repeats.copy,
    "retry-failed": repeats.retry_failed,
    "test-send": repeats.send_test,
    "text-from-dropped": repeats.text_from_dropped,
}.items():
    campaigns.app.command(name)(command)

for name, commands in {
    "table": tables.app,
    "encryption": encryption.app,
    "audience": audience_life.app,
    "list": lists.app,
    "platform": platforms.app,
    "signature": signatures.app,
    "template": templates.app,
    "link": links.app,
    "link-domain": links.domains,
    "token-key": links.token_keys,
    "message": messages.app,
    "rfm": models.rfm,
    "aipl": models.aipl,
    "material": materials.app,
    "digital": digital.app,
    "campaign": campaigns.app,
    "in-doubt": doubts.app,
    "recurrence": schedules.recurrences,
    "reply": campaigns.replies,
    "opt-out": suppression.opt_outs,
    "deny": suppression.deny,
    "number": numbers.app,
    "fatigue": limits.fatigue,
    "quiet": limits.quiet,
    "holiday": limits.holidays,
    "allowlist": limits.allowlist,
    "operation": operations.app,
    "source": feeds.sources,
    "feed": feeds.feeds,
    "retention": retention.app,
}.items():
    app.add_typer(commands, name=name)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except Refusal as refusal:
        print(refusal.sentence, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

"""Structured logs on stderr, as JSON or as text, with every phone number masked.

Both our own events and those of libraries pass through the same chain. Numbers are masked by their
look, in the event, in its fields and in tracebacks; ids go into fields named `…_id`, which stay.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from textwave.kit.mobile import mask_numbers

_FEWEST_DIGITS_OF_A_NUMBER = 10**9
_NEVER_MASKED = frozenset({"timestamp", "level", "logger", "request", "operation"})
_QUIET = ("aiohttp.access", "procrastinate", "asyncio", "yoyo", "_granian")


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask whatever looks like a phone number in an event."""
    return {name: _masked(name, value) for name, value in event.items()}


def configure_logs(log_format: str) -> None:
    """Send all logs of this process to stderr in the format `json` or `text`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared[:1], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
            processors=[
                *shared[1:5],
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                mask_event,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _masked(name: str, value: Any) -> Any:
    if name in _NEVER_MASKED or name.endswith("_id") or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return mask_numbers(str(value)) if value >= _FEWEST_DIGITS_OF_A_NUMBER else value
    if isinstance(value, dict):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(name, item) for item in value]
    return None if value is None else mask_numbers(str(value))

"""The application's event functions, read from the Chalice object, and the events that the local stack makes itself.

``handler`` is the setting of a Lambda function: a module and a name in it. For functions of a blueprint that module is
the blueprint's, so ``app.py`` is not imported when they run; the worker does the same.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, SQSEventConfig

from local.settings import ACCOUNT, REGION

_CONCURRENCY = 2
"""Messages of one queue worked on at once, unless the function says: AWS allows no less."""


@dataclass(frozen=True)
class EventFunction:
    """One function: on a ``queue``, on a ``schedule`` (EventBridge expression), or, with neither, invoked by hand."""

    name: str
    handler: str
    queue: str = ""
    batch_size: int = 1
    concurrency: int = _CONCURRENCY
    schedule: str = ""


def functions_of(app: Chalice) -> list[EventFunction]:
    """Every function that is not HTTP; ``SystemExit`` for a kind of event that the local stack does not know."""
    return [EventFunction(f.name, f.handler_string) for f in app.pure_lambda_functions] + [
        _from_source(source) for source in app.event_sources
    ]


def _from_source(source: Any) -> EventFunction:
    if isinstance(source, SQSEventConfig):
        return EventFunction(
            source.name,
            source.handler_string,
            queue=source.queue or str(source.queue_arn).rpartition(":")[2],
            batch_size=source.batch_size,
            concurrency=source.maximum_concurrency or _CONCURRENCY,
        )
    if isinstance(source, ScheduledEventConfig):
        expression = source.schedule_expression
        return EventFunction(
            source.name,
            source.handler_string,
            schedule=expression if isinstance(expression, str) else expression.to_string(),
        )
    raise SystemExit(f"the local stack knows queues and schedules, not {type(source).__name__} ({source.name})")


def scheduled_event(name: str, at: datetime) -> dict[str, Any]:
    """What EventBridge sends when the schedule ``name`` is due at ``at`` (an aware UTC instant)."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"],
        "detail": {},
    }

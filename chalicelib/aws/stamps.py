"""When something was last used: an instant on an item, written seldom, that no request depends on."""

from __future__ import annotations

import logging

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException, UpdateError

from chalicelib.aws.items import IntegerAttribute, Item

log = logging.getLogger(__name__)


def stamp(item: Item, attribute: IntegerAttribute, now: int, every: int) -> None:
    """Store the instant ``now`` in an attribute of an item that was just read, at most once in ``every`` seconds.

    The item's version stays, so no decision about the item is made again. A failure is only logged.
    """
    name = str(attribute.attr_name)
    last = getattr(item, name)
    if last is not None and now - last < every:
        return
    stale = attribute.does_not_exist() | (attribute <= now - every)
    try:
        # The condition excludes an item that was deleted meanwhile, and all but one of several requests at once.
        item.update(actions=[attribute.set(now)], condition=Item.pk.exists() & stale)
    except (PynamoDBException, BotoCoreError, ClientError) as problem:
        if not isinstance(problem, UpdateError) or problem.cause_response_code != "ConditionalCheckFailedException":
            log.warning("%s of %s / %s could not be stored: %s", name, item.pk, item.sk, problem)

"""The items of the one DynamoDB table: keys, indexes, the shared connection, and consistent reads.

The models share one connection. PynamoDB would make one per model, and a client takes long to make in a cold start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import index
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection.table import TableConnection
from pynamodb.constants import NUMBER
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.aws import clients
from chalicelib.config import settings

_T = TypeVar("_T")
_FIELD = re.compile(r"<\w+(:\w+)?>")
"""A field of a key: its name and how it is formatted."""


class Key(NamedTuple):
    """The key of an item. In a query ``sk`` is a prefix: it selects the items whose ``sk`` begins with it."""

    pk: str
    sk: str


class KeyOf:
    """How keys are spelled: a call with the values of the fields, in their order, returns the ``Key``.

    ``KeyOf("L#<owner_id>", "ENTRY#<sequence:012d>")("c1", 7)`` is ``Key("L#c1", "ENTRY#000000000007")``.
    ``TypeError`` for another number of values than there are fields.
    """

    def __init__(self, pk: str, sk: str) -> None:
        self._formats = tuple(_FIELD.sub(r"{\1}", template) for template in (pk, sk))
        self._in_pk, self._fields = len(_FIELD.findall(pk)), len(_FIELD.findall(pk + sk))

    def __call__(self, *values: str | int) -> Key:
        if len(values) != self._fields:
            raise TypeError(f"a key of {self._formats} takes {self._fields} values, not {len(values)}")
        pk, sk = self._formats
        return Key(pk.format(*values[: self._in_pk]), sk.format(*values[self._in_pk :]))


class KeyPart(Generic[_T]):
    """A property of an item: what stands between two ``#`` of its key, counted from 0, read by ``read``.

    With ``sequence = KeyPart(1, int)`` an item whose ``sk`` is ``ENTRY#000000000007`` has the ``sequence`` 7.
    """

    def __init__(self, place: int, read: Callable[[str], _T], *, of: str = "sk") -> None:
        self._place, self._read, self._of = place, read, of

    def __get__(self, item: Item | None, model: type[Item]) -> _T:
        if item is None:
            raise AttributeError("only an item has parts of a key")
        return self._read(getattr(item, self._of).split("#")[self._place])


class IntegerAttribute(Attribute[int]):
    """A whole number; a float raises ``TypeError`` instead of being cut, because money is never one."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(index(value))

    def deserialize(self, value: str) -> int:
        return int(value)


_I = TypeVar("_I", bound="Item")
_AT_ONCE = 100
"""DynamoDB's limit of items that one request reads."""


class MonthIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """Segments of every client of a reseller in one month, by day; sparse: only segments carry ``month_key``."""

    class Meta:
        index_name = "month_index"
        projection = AllProjection()

    month_key = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """Keys of the items of a partition by billing date; sparse: most items have no ``next_billing_date``."""

    class Meta:
        index_name = "due_index"
        projection = KeysOnlyProjection()

    pk = UnicodeAttribute(hash_key=True)
    next_billing_date = UnicodeAttribute(range_key=True)


class Item(Model):
    """Base of every model: keys, attributes of the indexes, and the instant at which DynamoDB deletes the item."""

    class Meta:
        table_name = settings.table
        billing_mode = "PAY_PER_REQUEST"
        connect_timeout_seconds = clients.CONNECT_SECONDS
        read_timeout_seconds = clients.READ_SECONDS
        max_retry_attempts = clients.ATTEMPTS - 1

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = IntegerAttribute(null=True)
    month_key = UnicodeAttribute(null=True)
    month_index = MonthIndex()
    next_billing_date = UnicodeAttribute(null=True)
    due_index = DueIndex()

    _shared: ClassVar[TableConnection | None] = None

    @classmethod
    def _get_connection(cls) -> TableConnection:
        if Item._shared is None:
            Item._shared = super()._get_connection.__func__(Item)  # type: ignore[attr-defined]
        return Item._shared

    @classmethod
    def find(cls: type[_I], pk: str, sk: str) -> _I | None:
        """The item of a key, read consistently; ``None`` if there is none."""
        try:
            return cls.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None

    @classmethod
    def under(
        cls: type[_I],
        pk: str,
        prefix: str,
        *,
        after: str | None = None,
        last: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[_I]:
        """Items whose ``sk`` begins with ``prefix``, in order of ``sk``, read consistently.

        ``after``: only items behind this ``sk``; ``last``: only up to this one; ``limit``: at most so many.
        """
        # DynamoDB refuses an empty bound.
        low, high = prefix or "\x01", last if last is not None else prefix + "\U0010ffff"
        if after is not None:
            low, high = (low, after) if newest_first else (after, high)
        # One more than the limit, because BETWEEN includes the item of ``after``.
        rows = cls.query(
            pk,
            cls.sk.between(low, high),
            consistent_read=True,
            scan_index_forward=not newest_first,
            limit=None if limit is None else limit + (after is not None),
        )
        return [row for row in rows if row.sk != after][:limit]

    def set_values(self, values: Mapping[str, Any]) -> list[Action]:
        """Set attributes by name. Returns the actions that store them; ``None`` removes an attribute."""
        for name, value in values.items():
            setattr(self, name, value)
        attributes = {name: getattr(type(self), name) for name in values}
        return [
            attributes[name].remove() if value is None else attributes[name].set(value)
            for name, value in values.items()
        ]

    def set_all(self) -> list[Action]:
        """Actions that store every attribute that has a value, except the keys."""
        return [
            getattr(type(self), name).set(value)
            for name, value in self.attribute_values.items()
            if name not in ("pk", "sk") and value is not None
        ]


def find_many(keys: Sequence[tuple[str, str]], model: type[_I]) -> dict[tuple[str, str], _I]:
    """Consistent reads of many items at once, by their keys; absent ones are left out."""
    if not keys:
        return {}
    return {(row.pk, row.sk): row for row in model.batch_get(keys, consistent_read=True)}


def find_each(*places: tuple[type[Item], str, str]) -> list[Any]:
    """Consistent reads of items by model and key, a hundred per request; in the same order, ``None`` for absent ones.

    They are not read at one instant: read an item first, and what depends on it in another call.
    """
    keys = list(dict.fromkeys((pk, sk) for _, pk, sk in places))
    found: dict[tuple[str, str], Any] = {}
    for first in range(0, len(keys), _AT_ONCE):
        left: Any = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys[first : first + _AT_ONCE]]
        while left:
            page, left = Item._batch_get_page(left, True, None)  # type: ignore[no-untyped-call]
            found.update({(row["pk"]["S"], row["sk"]["S"]): row for row in page})
    return [model.from_raw_data(found[pk, sk]) if (pk, sk) in found else None for model, pk, sk in places]

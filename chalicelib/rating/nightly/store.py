"""Items of the nightly functions: how far each of them is."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item, Put, Scope, commit, settled


class SweepPlace(Item):
    """``SWEEP`` / ``PLACE``: the object key after which the next sweep continues, ``""`` for the beginning"""

    after = UnicodeAttribute()

    key = KeyOf("SWEEP", "PLACE")


class Verified(Item):
    """``R#<reseller_id>`` / ``VERIFIED``: segments written before ``upto`` have been read and found right"""

    upto = IntegerAttribute()

    key = KeyOf("R#<reseller_id>", "VERIFIED")


def verified_upto(reseller_id: str) -> int:
    """Segments of a reseller that were written before this instant have been read and found right."""
    verified = Verified.find(*Verified.key(reseller_id))
    return verified.upto if verified else 0


@settled
def note_verified(scope: Scope, reseller_id: str, upto: int) -> None:
    """Store that the segments written before ``upto`` are right; changes nothing if a later instant is stored."""
    if verified_upto(reseller_id) < upto:
        earlier = Verified.pk.does_not_exist() | (Verified.upto < upto)
        commit(scope, [Put(Verified(*Verified.key(reseller_id), upto=upto), earlier, anyway=True)])

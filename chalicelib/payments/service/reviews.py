"""Items that a person should look at: listed, and ticked off."""

from __future__ import annotations

from chalicelib.aws import paging
from chalicelib.aws.transactions import Remove, Scope, commit, event, settled
from chalicelib.errors import NotFound
from chalicelib.payments import store
from chalicelib.payments.store import Review


def listed(reseller_id: str, asked: paging.Asked) -> paging.Rows[Review]:
    """What is open, oldest first."""
    return paging.page(Review, store.partition(reseller_id), "REVIEW#", asked)


@settled
def close(scope: Scope, reseller_id: str, review_id: str) -> None:
    """Tick one off; the trail keeps that it was there. 404 for one that is not open."""
    found = Review.find(store.partition(reseller_id), f"REVIEW#{review_id}")
    if found is None:
        raise NotFound()
    told = {"reason": found.reason, "txn_id": found.txn_id}
    closed = event(scope, reseller_id, "paypal.review_closed", review_id, told)
    commit(scope, [Remove(found, Review.pk.exists()), closed])

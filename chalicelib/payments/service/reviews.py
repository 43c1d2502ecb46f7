"""Review items: messages that a person should look at, listed and closed."""

from __future__ import annotations

from chalicelib.aws import paging
from chalicelib.aws.transactions import Remove, Scope, commit, event, settled
from chalicelib.errors import existing
from chalicelib.payments.store import Review


def listed(reseller_id: str, request: paging.PageRequest) -> paging.Page[Review]:
    """A page of the open items, oldest first."""
    return paging.page(Review, Review.of_reseller(reseller_id), request)


@settled
def close(scope: Scope, reseller_id: str, review_id: str) -> None:
    """Remove an item; the audit trail records it. 404 if it is not open."""
    review = existing(Review.find(*Review.key(reseller_id, review_id)))
    changes = {"reason": review.reason, "txn_id": review.txn_id}
    closed = event(scope, reseller_id, "paypal.review_closed", review_id, changes)
    commit(scope, [Remove(review, Review.pk.exists()), closed])

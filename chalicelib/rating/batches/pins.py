"""What prices a batch and says how its file is read, as it stands now: a generation keeps it for all tries."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.ledger import posting
from chalicelib.rating.batches import queries, sources
from chalicelib.rating.pricing import loading


def present(reseller_id: str, key: str, terms_version: int) -> dict[str, Any]:
    """The fields of ``Batch`` that are pinned, for the file ``key``; ``terms_version`` as the head was read."""
    reseller = posting.get_reseller(reseller_id)
    return {
        "terms_version": terms_version,
        "deck_version": loading.deck_version(),
        "time_zone": reseller.time_zone,
        "home_country": reseller.home_country,
        "cost_source": reseller.cost_source,
        "declared": sources.declared_for(reseller_id, key.removeprefix(f"{queries.PREFIX}{reseller_id}/")),
    }

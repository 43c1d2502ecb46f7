"""What the tests of this room start from: a client, a package, numbers on sale, and calls that were rated."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from imported_files import CLIENTS, dids, subaccounts

from chalicelib.aws import objects
from chalicelib.calls import store as call_store

_numbers = itertools.count(int(uuid.uuid4().hex[:6], 16) % 1_000_000 * 1000)
_batches = itertools.count(1)


@pytest.fixture
def client(reseller: Any) -> dict[str, Any]:
    """A permissive client without a limit."""
    return dict(reseller.made("/v1/clients", {"company": "Acme"}))


@pytest.fixture
def package(reseller: Any) -> dict[str, Any]:
    """A package at cost plus 20 percent, with a set-up fee of 5.00."""
    return dict(reseller.made("/v1/packages", {"name": "Gold", "markup_percent": "20", "setup_fee": "5"}))


@pytest.fixture
def subaccount(reseller: Any, client: dict[str, Any], package: dict[str, Any]) -> dict[str, Any]:
    """A sub-account of the client, priced by the package."""
    return dict(
        reseller.made("/v1/subaccounts", {"username": "alice", "client_id": client["id"], "package_id": package["id"]})
    )


@pytest.fixture
def on_sale(operator: Any) -> Callable[..., str]:
    """Put a fresh number into the inventory; returns it."""

    def make(**costs: str) -> str:
        number = f"+1514{next(_numbers) % 10_000_000_000:010d}"[:15]
        return str(operator.made("/v1/inventory", {"number": number, **costs})["number"])

    return make


@pytest.fixture
def did(reseller: Any, on_sale: Callable[..., str]) -> str:
    """A number in the reseller's stock."""
    number = on_sale(monthly="2", setup="1", per_minute="0.01")
    assert reseller.post(f"/v1/dids/{number}/order").status == 200
    return number


@pytest.fixture
def other(operator: Any) -> Any:
    """Another reseller."""
    made = operator.made("/v1/resellers", {"name": "Other", "email": "b@other.example", "currency": "USD"})
    return operator.with_key(made["api_key"])


@pytest.fixture
def rated(reseller: Any) -> Callable[..., None]:
    """Commit a batch with one rated call, its segment too: ``rated(client_id, "sub:alice", start, amount_e8)``."""
    from chalicelib.accounts.ledger import usage
    from chalicelib.accounts.ledger.snapshots import snapshots
    from chalicelib.aws.transactions import Put, Scope
    from chalicelib.calls import format as call_format
    from chalicelib.client_month import ClientMonth
    from chalicelib.periods import format_instant, utc_day

    def commit(client_id: str, holder: str, start: int, amount_e8: int = 0) -> None:
        batch, month = f"batch-{next(_batches)}", format_instant(start)[:7]
        kind, name = holder.split(":")
        account, to, direction = (name, "+15145550000", "outbound") if kind == "sub" else ("", name, "inbound")
        row = f"{format_instant(start)},{direction},ANSWERED,{batch},{account},+14165550199,{to},60,60,0,0,0,1"
        row += f",{client_id},,,,,0,{batch}"
        assert row.count(",") == len(call_format.COLUMNS) - 1
        data, members = call_format.encode_rows([row], [start])
        objects.write(f"rated/{batch}", data)
        sums = {"rows": 1, "seconds": 60, "billed_seconds": 60, "amount_e8": amount_e8, "cost_e8": 0}
        index = call_store.Segment(
            f"L#{client_id}",
            f"SEG#{utc_day(start)}#{batch}#1#{month}",
            client_id=client_id,
            day=utc_day(start),
            month=month,
            object_key=f"rated/{batch}",
            members=[list(member) for member in members],
            first=start,
            last=start,
            written_at=start,
            **sums,
        )
        (snapshot,) = snapshots(reseller.ids["reseller"], batch, 1, [ClientMonth(client_id, month)], {})
        what = usage.Usage(
            batch_id=batch, generation=1, month=month, rated=1, duplicates=0, seconds=60, amount_e8=amount_e8, cost_e8=0
        )
        usage.commit_usage(Scope("test", int(time.time())), snapshot, what, [Put(index)])

    return commit


@pytest.fixture
def batches(reseller: Any) -> Callable[[str, bool], None]:
    """Open or close a batch of the reseller: ``batches("b1", True)``."""
    from chalicelib.accounts.service import term_versions
    from chalicelib.aws.transactions import Scope, commit

    def switch(batch_id: str, opened: bool) -> None:
        reseller_id = reseller.ids["reseller"]
        head = term_versions.head(reseller_id)
        assert head is not None
        write = term_versions.open_batch(head, batch_id) if opened else term_versions.close_batch(reseller_id, batch_id)
        commit(Scope("test", int(time.time())), [write])

    return switch


@pytest.fixture
def numbers(reseller: Any, on_sale: Any) -> list[str]:
    """Two numbers in the reseller's stock."""
    made = [on_sale(monthly="1"), on_sale(per_minute="0.003")]
    assert [reseller.post(f"/v1/dids/{number}/order").status for number in made] == [200, 200]
    return made


@pytest.fixture
def files(package: dict[str, Any], numbers: list[str]) -> dict[str, Any]:
    return {"clients": CLIENTS, "subaccounts": subaccounts(package["name"]), "dids": dids(*numbers)}


@pytest.fixture
def make_ready(operator: Any, on_sale: Any) -> Any:
    """Makes equal resellers, and what each of them imports: one number was another client's before."""

    def make() -> tuple[Any, Any]:
        from chalicelib.accounts.shapes.imports import ImportIn

        made = operator.made("/v1/resellers", {"name": "Voix", "email": "a@voix.example"})
        api = operator.with_key(made["api_key"])
        api.ids["reseller"] = made["id"]
        numbers = [on_sale(), on_sale()]
        assert [api.post(f"/v1/dids/{number}/order").status for number in numbers] == [200, 200]
        earlier = {"client_id": api.made("/v1/clients", {"company": "Before"})["id"]}
        api.post(f"/v1/dids/{numbers[0]}/assign", earlier)
        assert api.post(f"/v1/dids/{numbers[0]}/release", {}).status == 200
        package = api.made("/v1/packages", {"name": "Gold"})["id"]
        return api, ImportIn(clients=CLIENTS, subaccounts=subaccounts(package), dids=dids(*numbers))

    return make

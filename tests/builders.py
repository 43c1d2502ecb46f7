"""A reseller with a deck, a package, clients and sub-accounts, made straight in the stores, and files to rate."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws import objects

NOW = 1_790_000_000
HEADER = "call_id,start,direction,account,from,to,disposition,seconds"


def price(**changes: Any) -> dict[str, Any]:
    """A package's price fields: cost + 20 %."""
    routes = {"us": "value", "canada": "value", "international": "value"}
    plain = {"markup_fixed_e10": 0, "markup_percent_e4": 200_000, "pulse": None, "connection_fee_e8": None}
    more = {"minimum_charge_e8": None, "call_decimals": 8, "rate_decimals": 10, "routes": routes, "free_minutes": 0}
    return {**plain, **more, "free_minutes_scope": ["us", "canada"], **changes}


def line(call_id: str, account: str = "alice", seconds: int = 60, **changes: str) -> str:
    """One line of Forfait's own CSV."""
    told = {"start": "2026-09-10T12:00:00Z", "direction": "outbound", "to": "+12125550100", "disposition": "ANSWERED"}
    told.update(changes)
    return (
        f"{call_id},{told['start']},{told['direction']},{account},+14165550199,{told['to']},"
        f"{told['disposition']},{seconds}"
    )


def csv_file(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def same_deck(route: str, day: str, *usual: str) -> bytes:
    """A deck file with the lines of the deck in force on ``day``, and without one with ``usual`` lines.

    All tests share one table, and a deck that lacks a country of the one in force waits to be confirmed.
    """
    from chalicelib import money
    from chalicelib.rating.decks.holding import in_force_on, opened

    before = in_force_on(route, day)
    lines = [
        f"{one.prefix},{one.destination},{money.format_rate(one.rate_e10)},{one.initial},{one.increment},"
        f"{money.format_amount(one.fee_e8)},{one.match},{'|'.join(one.homes)}"
        for one in (opened(before.object_key).lines() if before else ())
    ]
    header = "prefix,destination,rate_per_minute,initial,increment,connect_fee,match,home"
    return "\n".join([header, *(lines or usual), ""]).encode()


@dataclass
class World:
    """A fresh reseller. Clients ``alice`` and ``bob`` each have a sub-account of their own name."""

    reseller_id: str
    clients: dict[str, str] = field(default_factory=dict)
    version: int = 0
    now: int = NOW

    @property
    def scope(self) -> Any:
        from chalicelib.aws.transactions import Scope

        return Scope("system:test", self.now)

    def package(self, package_id: str, **changes: Any) -> None:
        from chalicelib.accounts.store.terms import PackageTerms
        from chalicelib.dated import FIRST

        version = self._next()
        PackageTerms(
            f"T#{self.reseller_id}",
            f"PACKAGE#{package_id}#{version:012d}",
            package_id=package_id,
            version=version,
            effective_from=FIRST,
            price=price(**changes),
        ).save()

    def client(self, name: str, package_id: str = "p1", **changes: Any) -> str:
        from chalicelib.accounts.store.owners import Client

        client_id = f"{name}-{self.reseller_id}"
        fields = {"status": "active", "service": "active", "balance_mode": "permissive", "profile": {}, "created_at": 1}
        Client(
            f"R#{self.reseller_id}",
            f"CLIENT#{client_id}",
            reseller_id=self.reseller_id,
            client_id=client_id,
            **{**fields, **changes},
        ).save()
        self.clients[name] = client_id
        self.assign(f"SUB#{name}", client_id=client_id, package_id=package_id)
        return client_id

    def assign(self, holder: str, **fields: Any) -> None:
        from chalicelib.accounts.store.terms import Assignment
        from chalicelib.dated import FIRST

        version = self._next()
        fields.setdefault("effective_from", FIRST)
        Assignment(f"T#{self.reseller_id}", f"{holder}#{version:012d}", holder=holder, version=version, **fields).save()

    def _next(self) -> int:
        from chalicelib.accounts.store.terms import TermsHead

        self.version += 1
        head = TermsHead.find(f"T#{self.reseller_id}", "HEAD")
        head.update(actions=[TermsHead.version.set(self.version)])
        return self.version

    def drop(self, body: bytes, name: str = "") -> tuple[str, str]:
        """Put a CDR file where S3 would announce it; the key and version that the message would carry."""
        from chalicelib.config import settings

        key = f"incoming/cdr/{self.reseller_id}/{name or uuid.uuid4().hex + '.csv'}"
        return key, objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=body)["VersionId"]

    def rate(self, *dropped: Any) -> Any:
        """Rate a file as the event function does; ``dropped`` is its bytes, or the key and version of one in place."""
        from chalicelib.rating.batches import rate as batch_rate

        key, version = dropped if len(dropped) == 2 else self.drop(dropped[0])
        return batch_rate.rate_batch(self.scope, key, version)

    def begin(self, batch: Any) -> tuple[str, str]:
        """Ask for a batch to be rated again; the key and version that the message carries."""
        from chalicelib.rating.batches import rerate as batch_rerate

        begun = batch_rerate.start(self.scope, self.reseller_id, batch.batch_id)
        return begun.object_key, begun.version_id

    def found(self, batch: Any) -> Any:
        """A batch as it stands now."""
        from chalicelib.rating.batches import store

        return store.batch(self.reseller_id, batch.batch_id)

    def rerate(self, batch: Any) -> Any:
        """Rate a batch again, and to the end."""
        return self.rate(*self.begin(batch))

    def reconciled(self, level: int = 2) -> list[Any]:
        from chalicelib.rating.nightly.reconcile import reconcile

        return reconcile(self.reseller_id, level, now=self.now)

    def books(self) -> dict[str, Any]:
        """All that must come out the same whatever happened on the way: balances, entries, calls, counts of batches."""
        from chalicelib.accounts.store.ledger import Entry
        from chalicelib.accounts.store.owners import Client, Reseller
        from chalicelib.calls import index
        from chalicelib.calls.store import segments_of
        from chalicelib.rating.batches.store import Batch

        books: dict[str, Any] = {}
        owners = [Reseller.get(f"R#{self.reseller_id}", "RESELLER")]
        owners += Client.under(f"R#{self.reseller_id}", "CLIENT#")
        for owner in owners:
            entries = Entry.under(f"L#{owner.owner_id}", "ENTRY#")
            books[owner.owner_id.split("-")[0]] = (
                owner.balance_e8,
                owner.account().service,
                sorted((entry.kind, entry.amount_e8, entry.period) for entry in entries),
            )
        for name, client_id in self.clients.items():
            calls = [call for segment in segments_of(client_id, "0", "9") for call in index.read(segment)]
            books[f"calls of {name}"] = sorted((c.start, c.call_id, c.amount_e8, c.free_seconds) for c in calls)
        books["batches"] = sorted(
            (b.status, b.lines, b.rated, b.rejected, b.duplicates, b.cost_e8, b.revenue_e8, b.internal)
            for b in Batch.under(*Batch.of_reseller(self.reseller_id))
        )
        # The reseller's own id differs from world to world.
        books["reseller"] = books.pop(self.reseller_id.split("-")[0])
        return books


def assignments(reseller: Any, holder: str) -> list[Any]:
    """The assignments of a sub-account or DID, by its ``holder``, oldest first."""
    from chalicelib.accounts.service import term_versions

    reseller_id = reseller.ids["reseller"]
    upto = int(term_versions.head_of(reseller_id).version)
    return [row for row in term_versions.assignments(reseller_id, upto) if row.holder == holder]


def make_world() -> World:
    from chalicelib.accounts.store.owners import Reseller
    from chalicelib.accounts.store.terms import TermsHead

    reseller_id = uuid.uuid4().hex[:16]
    Reseller(
        f"R#{reseller_id}",
        "RESELLER",
        reseller_id=reseller_id,
        name="Voix",
        email="a@voix.example",
        currency="USD",
        zones="America/Toronto",
        home_country="CA",
        status="active",
        created_at=1,
    ).save()
    TermsHead(f"T#{reseller_id}", "HEAD").save()
    world = World(reseller_id)
    world.package("p1")
    world.client("alice")
    world.client("bob", balance_mode="strict", service="suspended", balance_e8=0)
    return world

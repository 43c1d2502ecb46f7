"""Reading the files of an import: every line found good, or everything that is wrong, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from chalicelib.accounts import csv_lines
from chalicelib.accounts.csv_lines import BadLine
from chalicelib.accounts.service import billing_dates
from chalicelib.accounts.shapes.imports import FILES, ClientRow, DidRow, ImportIn, SubAccountRow
from chalicelib.accounts.store.holdings import Did, SubAccount, Username
from chalicelib.accounts.store.owners import Client
from chalicelib.accounts.store.terms import Package
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Item, find_many, new_id
from chalicelib.errors import Invalid
from chalicelib.fields import check_id, invalid

MOST_LINES = 500
"""Lines of all files of an import together: what is applied well within the time of a request."""
Row = dict[str, Any]
"""A good line as it is stored until it is applied: ``file``, ``cells``, and the ids that were made or found for it."""
_I = TypeVar("_I", bound=Item)


class Fault(NamedTuple):
    """What is wrong with a line of a file."""

    file: str
    line: int
    column: str
    message: str


class Holder(NamedTuple):
    """A sub-account that a number can be given to."""

    subaccount_id: str
    client_id: str


@dataclass
class Plan:
    """All rows in the order in which they are applied, and all faults; nothing may be applied while there are any."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: sum(row["file"] == name for row in self.rows) for name in FILES}


class _Read(NamedTuple):
    """A line that is good by itself."""

    line: int
    cells: dict[str, str]
    body: Any


class Reader:
    """Reads the files of one import against what the reseller has; ``today`` is the reseller's day."""

    def __init__(self, reseller_id: str, now: int) -> None:
        self._reseller_id, self._today = reseller_id, billing_dates.today(reseller_id, now)
        self._plan = Plan()
        self._file = ""
        self._refs: dict[str, str] = {}
        self._subaccounts: dict[str, Holder] = {}

    def read(self, body: ImportIn) -> Plan:
        """The plan of an import; 422 for one with too many lines."""
        found = {name: self._lines(name, getattr(body, name)) for name in FILES}
        lines = sum(map(len, found.values()))
        if lines > MOST_LINES:
            raise Invalid.field(
                "clients", f"these files have {lines} lines, and an import takes {MOST_LINES}: split it"
            )
        for name, check in (("clients", self._clients), ("subaccounts", self._accounts), ("dids", self._dids)):
            self._file = name
            check(found[name])
        order = list(FILES)
        self._plan.faults.sort(key=lambda fault: (order.index(fault.file), fault.line))
        return self._plan

    def _lines(self, name: str, text: str) -> list[_Read]:
        self._file, shape = name, FILES[name]
        required = [column for column, told in shape.model_fields.items() if told.is_required()]
        lines, bad = csv_lines.read(text, tuple(shape.model_fields), required) if text.strip() else ([], [])
        self._wrong(bad)
        found = []
        for line in lines:
            try:
                found.append(_Read(line.number, line.cells, shape.model_validate(line.cells)))
            except ValidationError as error:
                told = invalid(error).errors
                self._wrong(BadLine(line.number, "" if one.field == "body" else one.field, one.message) for one in told)
        return found

    def _wrong(self, found: Iterable[BadLine]) -> None:
        self._plan.faults += [Fault(self._file, *one) for one in found]

    def _say(self, line: int, column: str, message: str) -> None:
        self._wrong([BadLine(line, column, message)])

    def _add(self, read: _Read, **ids: Any) -> None:
        self._plan.rows.append({"file": self._file, "cells": read.cells, **ids})

    def _twice(self, found: list[_Read], column: str) -> Iterator[_Read]:
        """Lines whose name in this column does not stand above already."""
        first: dict[str, int] = {}
        for read in found:
            name = getattr(read.body, column)
            if name and first.setdefault(name, read.line) != read.line:
                self._say(read.line, column, f"{name} is already on line {first[name]}")
            else:
                yield read

    def _clients(self, found: list[_Read]) -> None:
        for read in self._twice(found, "ref"):
            row: ClientRow = read.body
            client_id = new_id()
            if row.ref:
                self._refs[row.ref] = client_id
            self._add(read, id=client_id)

    def _accounts(self, found: list[_Read]) -> None:
        known = self._known_clients(found)
        packages = Package.under(*Package.of_reseller(self._reseller_id)) if found else []
        taken = self._stored(Username, Username.key, (read.body.username for read in found))
        for read in self._twice(found, "username"):
            row: SubAccountRow = read.body
            client_id = self._client(read, known)
            fits = [one.package_id for one in packages if row.package in (one.package_id, one.name)]
            if len(fits) != 1:
                why = (
                    f"{len(fits)} packages have this name: take an id" if fits else f"there is no package {row.package}"
                )
                self._say(read.line, "package", why)
            if row.username in taken:
                self._say(read.line, "username", f"{row.username} is taken; names are never used again")
            self._not_past(read)
            if client_id and len(fits) == 1:
                holder = self._subaccounts[row.username] = Holder(new_id(), client_id)
                self._add(read, id=holder.subaccount_id, client_id=client_id, package_id=fits[0])

    def _dids(self, found: list[_Read]) -> None:
        known, stock = self._known_clients(found), self._stored(Did, Did.key, (read.body.number for read in found))
        holders = self._holders({read.body.subaccount for read in found if read.body.subaccount})
        for read in self._twice(found, "number"):
            row: DidRow = read.body
            client_id, did = self._client(read, known), stock.get(row.number)
            if did is None:
                self._say(read.line, "number", f"{row.number} is none of your DIDs; order it first")
            elif did.client_id:
                self._say(read.line, "number", f"{row.number} is assigned to client {did.client_id}")
            holder = holders.get(row.subaccount or "")
            if row.subaccount and (holder is None or (client_id and holder.client_id != client_id)):
                self._say(read.line, "subaccount", "must be a sub-account of this client")
            self._not_past(read)
            if client_id:
                self._add(read, client_id=client_id, subaccount_id=holder.subaccount_id if holder else None)

    def _known_clients(self, found: list[_Read]) -> dict[str, Client]:
        """The clients there are already, of those that these lines name by id."""
        names = {read.body.client for read in found} - self._refs.keys()
        return self._stored(Client, Client.key, (name for name in names if check_id(name)))

    def _client(self, read: _Read, known: dict[str, Client]) -> str | None:
        """The id of the client that a line names."""
        name = read.body.client
        if name in self._refs:
            return self._refs[name]
        client = known.get(name)
        if client is None:
            self._say(read.line, "client", f"{name} is neither a ref of this import nor the id of a client")
        elif client.status != "active":
            self._say(read.line, "client", f"this client is {client.status}")
        return name if client and client.status == "active" else None

    def _holders(self, usernames: set[str]) -> dict[str, Holder]:
        """Sub-accounts by user name, of this import and of before it."""
        names = self._stored(Username, Username.key, usernames - self._subaccounts.keys())
        stored = self._stored(SubAccount, SubAccount.key, (one.subaccount_id for one in names.values()))
        found = {one.username: Holder(one.subaccount_id, one.client_id) for one in stored.values()}
        return found | self._subaccounts

    def _stored(self, model: type[_I], key: Callable[[str, str], Key], names: Iterable[str]) -> dict[str, _I]:
        """The items of these names that the reseller has, by name; ``key`` makes one of the reseller and a name."""
        keys = {name: key(self._reseller_id, name) for name in sorted({*names})}
        found = find_many(list(keys.values()), model)
        return {name: found[key] for name, key in keys.items() if key in found}

    def _not_past(self, read: _Read) -> None:
        day = read.body.next_billing_date
        if day is not None and day < self._today:
            self._say(read.line, "next_billing_date", f"must not be in the past; today is {self._today}")

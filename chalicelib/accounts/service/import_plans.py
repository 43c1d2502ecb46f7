"""Reading the files of an import: rows that are all good, or everything that is wrong; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from chalicelib.accounts import client_lines, csv_lines
from chalicelib.accounts.client_lines import ReadColumn
from chalicelib.accounts.csv_lines import BadLine, Line
from chalicelib.accounts.service import billing_dates, clients, dids, subaccounts
from chalicelib.accounts.service.import_rows import Row
from chalicelib.accounts.shapes.dids import AssignIn
from chalicelib.accounts.shapes.imports import FILES, ClientRow, DidRow, ImportIn, SubAccountRow
from chalicelib.accounts.shapes.subaccounts import SubAccountIn
from chalicelib.accounts.store.holdings import Did, SubAccount, Username
from chalicelib.accounts.store.owners import Client
from chalicelib.accounts.store.terms import Package
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Item, Scope, find_many, new_id
from chalicelib.errors import Invalid
from chalicelib.fields import check_id, invalid

MOST_LINES = 20_000
"""Most lines of all files of an import together."""
_ASSIGNED = ("monthly", "setup", "per_minute", "next_billing_date")
"""Cells of a number's line that are fields of ``AssignIn``."""
_I = TypeVar("_I", bound=Item)


class Fault(NamedTuple):
    """What is wrong with a line of a file; ``column`` is empty if it is about the whole line."""

    file: str
    line: int
    column: str
    message: str


class Holder(NamedTuple):
    """A sub-account that can get a number, and its client."""

    subaccount_id: str
    client_id: str


@dataclass
class Plan:
    """All rows in the order in which they are applied, and all faults; nothing may be applied if there are any."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    columns: list[ReadColumn] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many rows there are, by file."""
        return {name: sum(row["file"] == name for row in self.rows) for name in FILES}


class _ValidLine(NamedTuple):
    """A line that is valid by itself; ``body`` is its shape."""

    line: int
    cells: dict[str, str]
    body: Any


class Reader:
    """Reads the files of one import and checks them against what the reseller has."""

    def __init__(self, scope: Scope, reseller_id: str) -> None:
        self._scope, self._reseller_id = scope, reseller_id
        self._today = billing_dates.today(reseller_id, scope.now)
        self._plan = Plan()
        self._file = ""
        self._refs: dict[str, str] = {}
        self._warns = False
        self._subaccounts: dict[str, Holder] = {}

    def read(self, body: ImportIn) -> Plan:
        """The plan of an import; 422 if it has too many lines."""
        self._warns = body.preview
        files = {name: self._lines(name, body) for name in FILES}
        count = sum(map(len, files.values()))
        if count > MOST_LINES:
            raise Invalid.field(
                "clients", f"these files have {count:,} lines, and an import takes {MOST_LINES:,}: split it"
            )
        for name, check in (("clients", self._clients), ("subaccounts", self._accounts), ("dids", self._dids)):
            self._file = name
            check(files[name])
        order = list(FILES)
        self._plan.faults.sort(key=lambda fault: (order.index(fault.file), fault.line))
        return self._plan

    def _lines(self, name: str, body: ImportIn) -> list[_ValidLine]:
        self._file, shape, text = name, FILES[name], getattr(body, name)
        if not text.strip():
            return []
        required = [column for column, info in shape.model_fields.items() if info.is_required()]
        if name == "clients":
            lines = self._client_lines(text, body)
        else:
            lines, bad = csv_lines.read(text, tuple(shape.model_fields), required)
            self._add_faults(bad)
        valid = []
        for line in lines:
            try:
                valid.append(_ValidLine(line.number, line.cells, shape.model_validate(line.cells)))
            except ValidationError as error:
                for problem in invalid(error).errors:
                    self._add_fault(line.number, "" if problem.field == "body" else problem.field, problem.message)
        return valid

    def _client_lines(self, text: str, body: ImportIn) -> list[Line]:
        """The lines of the file of clients, with our columns, words and numbers."""
        known = tuple(ClientRow.model_fields)
        self._plan.columns, faults = client_lines.read_columns(csv_lines.titles(text), known, body.columns)
        for message in faults:
            self._add_fault(1, "", message)
        # Without `columns`, a title that means nothing stays as it is, and is refused.
        strict = body.columns is None
        read_as = [one.read_as or (one.column.strip().lower() if strict else None) for one in self._plan.columns]
        lines, bad = csv_lines.read(text, known, (), read_as if read_as else None) if not faults else ([], [])
        self._add_faults(bad)
        number_format = body.number_format or client_lines.number_format_of(line.cells for line in lines)
        return [line for line in lines if self._convert(line, number_format)]

    def _convert(self, line: Line, number_format: str | None) -> bool:
        """Write the cells of a line as ours; false and a fault for each cell that cannot be read."""
        good = True
        for column, cell in line.cells.items():
            try:
                line.cells[column] = client_lines.read_cell(column, cell, number_format)
            except ValueError as problem:
                self._add_fault(line.number, column, f'"{cell[:40]}" {problem}')
                good = False
        return good

    def _add_faults(self, bad: Iterable[BadLine]) -> None:
        self._plan.faults += [Fault(self._file, *line) for line in bad]

    def _add_fault(self, line: int, column: str, message: str) -> None:
        self._plan.faults.append(Fault(self._file, line, column, message))

    def _add_row(self, values: dict[str, Any], **more: Any) -> None:
        self._plan.rows.append({"file": self._file, "values": values, **more})

    def _unique(self, lines: list[_ValidLine], column: str) -> Iterator[_ValidLine]:
        """The lines whose name in this column is not on an earlier line; a fault for each of the others."""
        first: dict[str, int] = {}
        for valid in lines:
            name = getattr(valid.body, column)
            if name and first.setdefault(name, valid.line) != valid.line:
                self._add_fault(valid.line, column, f"{name} is already on line {first[name]}")
            else:
                yield valid

    def _clients(self, lines: list[_ValidLine]) -> None:
        for valid in self._unique(lines, "ref"):
            row: ClientRow = valid.body
            client_id = new_id()
            if row.ref:
                self._refs[row.ref] = client_id
            item = clients.new_client(self._scope, self._reseller_id, client_id, row)
            self._add_row(_attributes(item), ref=row.ref, balance=row.balance)
        self._warn_of_emails(lines)

    def _warn_of_emails(self, lines: list[_ValidLine]) -> None:
        """A warning for each line whose e-mail address is on a line before it, or is that of a client."""
        if not self._warns or not any(valid.body.email for valid in lines):
            return
        stored = {
            (client.profile.get("email") or "").lower(): client.client_id
            for client in Client.under(*Client.of_reseller(self._reseller_id))
            if client.status != "closed"
        }
        first: dict[str, int] = {}
        for valid in lines:
            email = valid.body.email.lower()
            if not email:
                continue
            if first.setdefault(email, valid.line) != valid.line:
                self._plan.warnings.append(Fault("clients", valid.line, "email", f"is on line {first[email]}, too"))
            if email in stored:
                message = f"client {stored[email]} has this address already"
                self._plan.warnings.append(Fault("clients", valid.line, "email", message))

    def _accounts(self, lines: list[_ValidLine]) -> None:
        stored = self._stored_clients(lines)
        packages = Package.under(*Package.of_reseller(self._reseller_id)) if lines else []
        taken = self._stored(Username, Username.key, (valid.body.username for valid in lines))
        for valid in self._unique(lines, "username"):
            row: SubAccountRow = valid.body
            client_id = self._client(valid, stored)
            package_ids = [item.package_id for item in packages if row.package in (item.package_id, item.name)]
            if not package_ids:
                self._add_fault(valid.line, "package", f"there is no package {row.package}")
            elif len(package_ids) > 1:
                self._add_fault(valid.line, "package", f"{len(package_ids)} packages have this name: take an id")
            if row.username in taken:
                self._add_fault(valid.line, "username", f"{row.username} is taken; names are never used again")
            self._refuse_past(valid)
            if client_id and len(package_ids) == 1:
                holder = self._subaccounts[row.username] = Holder(new_id(), client_id)
                fields = SubAccountIn(
                    username=row.username,
                    client_id=client_id,
                    package_id=package_ids[0],
                    next_billing_date=row.next_billing_date,
                )
                item = subaccounts.new_item(self._scope, self._reseller_id, holder.subaccount_id, fields)
                self._add_row(_attributes(item))

    def _dids(self, lines: list[_ValidLine]) -> None:
        stored, stock = self._stored_clients(lines), self._stored(Did, Did.key, (valid.body.number for valid in lines))
        holders = self._holders({valid.body.subaccount for valid in lines if valid.body.subaccount})
        for valid in self._unique(lines, "number"):
            row: DidRow = valid.body
            client_id, did = self._client(valid, stored), stock.get(row.number)
            if did is None:
                self._add_fault(valid.line, "number", f"{row.number} is none of your DIDs; order it first")
            elif did.client_id:
                self._add_fault(valid.line, "number", f"{row.number} is assigned to client {did.client_id}")
            holder = holders.get(row.subaccount or "")
            if row.subaccount and (holder is None or (client_id and holder.client_id != client_id)):
                self._add_fault(valid.line, "subaccount", "must be a sub-account of this client")
            self._refuse_past(valid)
            if client_id:
                body = _assignment(valid.cells, client_id, holder.subaccount_id if holder else None)
                self._add_row(dids.assigned(body, self._today), number=row.number)

    def _stored_clients(self, lines: list[_ValidLine]) -> dict[str, Client]:
        """The stored clients that these lines name by id."""
        names = {valid.body.client for valid in lines} - self._refs.keys()
        return self._stored(Client, Client.key, (name for name in names if check_id(name)))

    def _client(self, valid: _ValidLine, clients: dict[str, Client]) -> str | None:
        """The id of the client that a line names; ``None`` and a fault if there is none or it is not active."""
        name = valid.body.client
        if name in self._refs:
            return self._refs[name]
        client = clients.get(name)
        if client is None:
            self._add_fault(valid.line, "client", f"{name} is neither a ref of this import nor the id of a client")
        elif client.status != "active":
            self._add_fault(valid.line, "client", f"this client is {client.status}")
        return name if client and client.status == "active" else None

    def _holders(self, usernames: set[str]) -> dict[str, Holder]:
        """Sub-accounts by user name: those of this import, and the stored ones with these names."""
        names = self._stored(Username, Username.key, usernames - self._subaccounts.keys())
        stored = self._stored(SubAccount, SubAccount.key, (item.subaccount_id for item in names.values()))
        return {
            **{item.username: Holder(item.subaccount_id, item.client_id) for item in stored.values()},
            **self._subaccounts,
        }

    def _stored(self, model: type[_I], key: Callable[[str, str], Key], names: Iterable[str]) -> dict[str, _I]:
        """The reseller's items of these names, by name; ``key`` makes the key of a reseller's id and a name."""
        keys = {name: key(self._reseller_id, name) for name in sorted({*names})}
        items = find_many(list(keys.values()), model)
        return {name: items[key] for name, key in keys.items() if key in items}

    def _refuse_past(self, valid: _ValidLine) -> None:
        day = valid.body.next_billing_date
        if day is not None and day < self._today:
            self._add_fault(valid.line, "next_billing_date", f"must not be in the past; today is {self._today}")


def _attributes(item: Item) -> dict[str, Any]:
    """The attributes of an item that has values, without its key."""
    return {
        name: value for name, value in item.attribute_values.items() if name not in ("pk", "sk") and value is not None
    }


def _assignment(cells: dict[str, str], client_id: str, subaccount_id: str | None) -> AssignIn:
    """The line of a number as the request that assigns it."""
    fields: dict[str, Any] = {name: cells[name] for name in _ASSIGNED if name in cells}
    if "initial" in cells:
        fields["pulse"] = {name: int(cells[name]) for name in ("initial", "increment")}
    return AssignIn.model_validate({**fields, "client_id": client_id, "subaccount_id": subaccount_id})

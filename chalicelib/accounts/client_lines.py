"""A file of clients as another system writes it: which column is which, and its words and numbers as ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chalicelib import money
from chalicelib.text import folded

SYNONYMS = {
    "ref": "account number, account no, account, account id, customer number, customer id, customer, client number, "
    "client id, numero de compte, numero de cliente",
    "company": "company name, organization, organisation, business, business name, entreprise, societe, empresa",
    "first_name": "firstname, given name, prenom, nombre",
    "last_name": "lastname, surname, family name, nom, nom de famille, apellido, apellidos",
    "email": "e mail, email address, e mail address, mail, courriel, adresse courriel, correo, correo electronico",
    "phone": "phone number, telephone, telephone number, tel, telefono",
    "address": "street, street address, address 1, address1, address line 1, adresse, direccion",
    "city": "town, ville, ciudad",
    "state": "province, state province, region, etat, estado, provincia",
    "country": "country name, country code, pays, pais",
    "zip": "zip code, postal code, postcode, zip postal code, code postal, codigo postal",
    "language": "lang, langue, idioma",
    "time_zone": "timezone, fuseau horaire, zona horaria",
    "balance": "current balance, account balance, opening balance, solde, saldo",
    "balance_mode": "billing type, payment type, payment mode, prepaid postpaid",
    "credit_limit": "limite de credit, limite de credito",
}
"""Titles of other systems by our column, folded as ``folded`` does."""
MODES = {
    "prepaid": "strict", "pre paid": "strict", "prepay": "strict", "prepaye": "strict", "prepago": "strict",
    "postpaid": "permissive", "post paid": "permissive", "postpay": "permissive", "postpaye": "permissive",
    "pospago": "permissive", "postpago": "permissive",
}  # fmt: skip
MONEY = ("balance", "credit_limit", "low_balance_threshold", "max_rate_per_minute", "daily_spend_limit")


class ReadColumn(NamedTuple):
    """A column of a file, and the column of ours that it is read as; ``None``: it is ignored."""

    column: str
    read_as: str | None


def read_columns(
    titles: Sequence[str], known: Iterable[str], declared: Mapping[str, str] | None
) -> tuple[list[ReadColumn], list[str]]:
    """What each title of a header is read as, and what is wrong with ``declared`` (our column -> their title).

    A declared title goes before our own names, and these before ``SYNONYMS``. A title that is none of them is
    ignored. Two titles with one meaning are a fault unless one of them is declared: the file does not say which
    one counts. A line without any title that is read is no header: its file would make clients without anything.
    """
    by_title = {folded(title): ours for ours, titles_ in SYNONYMS.items() for title in titles_.split(", ")}
    by_title |= {folded(ours): ours for ours in known}
    wanted = {folded(title): ours for ours, title in (declared or {}).items()}
    faults = [f"{ours} is no column of ours" for ours in declared or {} if ours not in set(known)]
    names = [folded(title) for title in titles]
    faults += [f'"{title}" is not in the header' for title in (declared or {}).values() if folded(title) not in names]
    read = [
        ReadColumn(title, wanted.get(name) or by_title.get(name)) for title, name in zip(titles, names, strict=True)
    ]
    read = [
        column._replace(read_as=None)
        if column.read_as in wanted.values() and folded(column.column) not in wanted
        else column
        for column in read
    ]
    if not any(column.read_as for column in read) and not faults:
        faults.append(
            "is no header: none of its titles is known. The first line must have titles such as Account Number, "
            "Company or Balance; take away lines before it, or name your titles in columns"
        )
    first: dict[str, str] = {}
    for column in read:
        if column.read_as and first.setdefault(column.read_as, column.column) != column.column:
            both = f'"{first[column.read_as]}" and "{column.column}"'
            faults.append(f"{both} both are {column.read_as}: name one of them in columns")
    return read, faults


def number_format_of(lines: Iterable[Mapping[str, str]]) -> str | None:
    """The one way in which all amounts of a file are written; ``None``: none, or more than one that differ.

    Lines decide together: ``-8,20`` on any line says how ``1.208`` on another one is written.
    """
    cells = [readings for line in lines for name in MONEY if name in line and any(readings := _readings(line[name]))]
    fits = [place for place in range(len(money.NUMBER_FORMATS)) if all(readings[place] for readings in cells)]
    if len(fits) > 1 and any(len(set(readings)) > 1 for readings in cells):
        return None
    return list(money.NUMBER_FORMATS)[fits[0]] if fits else None


def read_cell(column: str, cell: str, number_format: str | None) -> str:
    """A cell as our own files have it; ``ValueError`` for an amount that is not written in ``number_format``.

    Other cells that are not understood stay as they are: the check of the line says what they must be.
    """
    if column in MONEY:
        if number_format is None:
            either = _readings(cell)
            if not any(either):
                raise ValueError("is no number")
            if len(set(either)) > 1:
                raise ValueError("may be another number in another format: declare number_format 1,208.20 or 1.208,20")
            return either[0] or ""
        return money.plain_number(cell, number_format)
    if column == "balance_mode":
        return MODES.get(folded(cell), cell.lower())
    if column == "country" and not re.fullmatch("[A-Z]{2}", cell):
        # Read here, because nothing else needs the names.
        from chalicelib import country_names

        return country_names.code_of(cell) or (cell.upper() if len(cell) == 2 else cell)
    return cell


def _readings(cell: str) -> tuple[str | None, ...]:
    """A number as each of ``NUMBER_FORMATS`` reads it; ``None`` where it does not."""
    return tuple(_plain(cell, name) for name in money.NUMBER_FORMATS)


def _plain(cell: str, number_format: str) -> str | None:
    try:
        return money.plain_number(cell, number_format)
    except ValueError:
        return None

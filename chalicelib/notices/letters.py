"""The texts of e-mails in English, French and Spanish. Pure: fields of an event in, subject and text out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.text import one_line

_EN = {
    "client.low_balance": (
        "{brand}: your balance is low",
        "Hello {name},\n\nyour balance is {balance}, less than the {threshold} at which you are told.\n"
        "Please add to it, so that your calls go on.",
    ),
    "client.suspended": (
        "{brand}: your service is suspended",
        "Hello {name},\n\nyour balance is {balance}, so new calls are not put through for now.\n"
        "Your service comes back as soon as your balance allows it.",
    ),
    "client.resumed": (
        "{brand}: your service is back",
        "Hello {name},\n\nyour balance is {balance}. Calls are put through again. Thank you.",
    ),
    "of.client.low_balance": (
        "Low balance: {name}",
        "The balance of {name} ({client_id}) is {balance}, less than its threshold of {threshold}.",
    ),
    "of.client.suspended": (
        "Suspended: {name}",
        "{name} ({client_id}) is suspended. Its balance is {balance}.",
    ),
    "of.client.resumed": ("Resumed: {name}", "{name} ({client_id}) has its service back. Its balance is {balance}."),
    "account.low_balance": (
        "Your balance with the operator is low",
        "The balance of your reseller account is {balance}, less than your threshold of {threshold}.",
    ),
    "batch.rejects": (
        "{rejected} of {lines} lines refused: {file}",
        "Of {lines} lines of {file}, {rejected} were refused.\nThe batch {batch_id} says why, line by line.",
    ),
    "batch.failed": ("Not rated: {file}", "{file} could not be rated: {reason}\nThe batch is {batch_id}."),
}
_FR = {
    "client.low_balance": (
        "{brand} : votre solde est bas",
        "Bonjour {name},\n\nvotre solde est de {balance}, sous le seuil d'alerte de {threshold}.\n"
        "Ajoutez des fonds pour que vos appels continuent de passer.",
    ),
    "client.suspended": (
        "{brand} : votre service est suspendu",
        "Bonjour {name},\n\nvotre solde est de {balance} : les nouveaux appels ne passent plus pour l'instant.\n"
        "Votre service revient dès que votre solde le permet.",
    ),
    "client.resumed": (
        "{brand} : votre service est rétabli",
        "Bonjour {name},\n\nvotre solde est de {balance}. Vos appels passent de nouveau. Merci.",
    ),
    "of.client.low_balance": (
        "Solde bas : {name}",
        "Le solde de {name} ({client_id}) est de {balance}, sous son seuil de {threshold}.",
    ),
    "of.client.suspended": (
        "Suspendu : {name}",
        "{name} ({client_id}) est suspendu. Son solde est de {balance}.",
    ),
    "of.client.resumed": (
        "Rétabli : {name}",
        "Le service de {name} ({client_id}) est rétabli. Son solde est de {balance}.",
    ),
    "account.low_balance": (
        "Votre solde auprès de l'opérateur est bas",
        "Le solde de votre compte de revendeur est de {balance}, sous votre seuil de {threshold}.",
    ),
    "batch.rejects": (
        "{rejected} lignes refusées sur {lines} : {file}",
        "Sur {lines} lignes de {file}, {rejected} ont été refusées.\nLe lot {batch_id} dit pourquoi, ligne par ligne.",
    ),
    "batch.failed": ("Non tarifé : {file}", "{file} n'a pas pu être tarifé : {reason}\nLe lot est {batch_id}."),
}
_ES = {
    "client.low_balance": (
        "{brand}: su saldo es bajo",
        "Hola, {name}:\n\nsu saldo es de {balance}, por debajo del aviso de {threshold}.\n"
        "Añada fondos para que sus llamadas sigan saliendo.",
    ),
    "client.suspended": (
        "{brand}: su servicio está suspendido",
        "Hola, {name}:\n\nsu saldo es de {balance}; por ahora no salen llamadas nuevas.\n"
        "Su servicio vuelve en cuanto su saldo lo permita.",
    ),
    "client.resumed": (
        "{brand}: su servicio está restablecido",
        "Hola, {name}:\n\nsu saldo es de {balance}. Sus llamadas vuelven a salir. Gracias.",
    ),
    "of.client.low_balance": (
        "Saldo bajo: {name}",
        "El saldo de {name} ({client_id}) es de {balance}, por debajo de su aviso de {threshold}.",
    ),
    "of.client.suspended": (
        "Suspendido: {name}",
        "{name} ({client_id}) está suspendido. Su saldo es de {balance}.",
    ),
    "of.client.resumed": (
        "Restablecido: {name}",
        "El servicio de {name} ({client_id}) está restablecido. Su saldo es de {balance}.",
    ),
    "account.low_balance": (
        "Su saldo con el operador es bajo",
        "El saldo de su cuenta de revendedor es de {balance}, por debajo de su aviso de {threshold}.",
    ),
    "batch.rejects": (
        "{rejected} de {lines} líneas rechazadas: {file}",
        "De {lines} líneas de {file}, {rejected} fueron rechazadas.\nEl lote {batch_id} dice por qué, línea por línea.",
    ),
    "batch.failed": ("Sin tarifar: {file}", "No se pudo tarifar {file}: {reason}\nEl lote es {batch_id}."),
}
TEXTS = {"en": _EN, "fr": _FR, "es": _ES}
_POINTS = {"en": (",", "."), "fr": ("\u202f", ","), "es": (".", ",")}
"""Thousands separator and decimal point by language."""
_MONEY = ("balance", "threshold")


def language_of(tag: str | None) -> str:
    """``fr-CA`` -> ``fr``; ``en`` for a language without texts."""
    language = (tag or "").partition("-")[0].lower()
    return language if language in TEXTS else "en"


def amount(text: str, currency: str, language: str) -> str:
    """A decimal text of the API (``-1234.5``) as it is written in a language, with the currency."""
    thousands, point = _POINTS[language]
    whole, _, decimals = text.lstrip("-").partition(".")
    grouped = f"{int(whole):,}".replace(",", thousands)
    return f"{'-' * text.startswith('-')}{grouped}{point}{decimals or '00'} {currency}"


def write(kind: str, language: str, currency: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of an e-mail. ``of.<kind>`` is the letter to the reseller about its client.

    ``data``: the fields of the event, ``brand`` (name of the reseller), ``file``, and ``name`` (of the client).
    """
    subject, text = TEXTS[language][kind]
    fields = {name: "" if value is None else str(value) for name, value in data.items()}
    fields |= {name: amount(fields[name], currency, language) for name in _MONEY if fields.get(name)}
    # A subject must be one line, and a name from outside may contain line breaks.
    return one_line(subject.format_map(fields), 200), f"{text.format_map(fields)}\n\n{fields['brand']}\n"

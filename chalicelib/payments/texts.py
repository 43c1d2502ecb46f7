"""The texts of the pay page, and of the deposit at PayPal, in English, French and Spanish."""

from __future__ import annotations

import re

LANGUAGES = ("en", "fr", "es")

_EN = {
    "title": "Deposit",
    "to": "to {seller}",
    "pay": "Pay with PayPal",
    "leaves": "You will be taken to PayPal and back.",
    "test": "Test: this payment goes to PayPal's sandbox, no real money moves.",
    "open": "We are waiting for PayPal's confirmation. This takes a few seconds as a rule.",
    "pending": "PayPal has your payment and waits for the money. It is credited as soon as it arrives.",
    "paid": "Paid. The amount was credited to your account.",
    "failed": "PayPal did not complete this payment. Nothing was credited.",
    "review": "PayPal's message about this payment needs a look by {seller}. You need not pay again.",
    "late": "There is no answer yet. You may close this page: the amount is credited when PayPal confirms it.",
    "cancelled": "No payment has arrived. If you have paid in another window, it is credited when PayPal confirms it.",
    "item": "Account deposit",
    "trouble": "This page cannot be shown now. Try again in a minute.",
    "unreachable": "PayPal does not answer. Go back and try again in a minute.",
    "expired": "This link has expired. Ask {seller} for a new one.",
    "again": "Back to the payment",
    "missing": "There is no payment at this address.",
    "reload": "Reload this page to see whether the payment has arrived.",
}
_FR = {
    "title": "Dépôt",
    "to": "à {seller}",
    "pay": "Payer avec PayPal",
    "leaves": "Vous serez dirigé vers PayPal, puis ramené ici.",
    "test": "Essai : ce paiement va au bac à sable de PayPal, aucun argent réel ne circule.",
    "open": "Nous attendons la confirmation de PayPal. Cela prend en général quelques secondes.",
    "pending": "PayPal a reçu votre paiement et attend les fonds. Il sera crédité dès leur arrivée.",
    "paid": "Payé. Le montant a été porté à votre compte.",
    "failed": "PayPal n'a pas effectué ce paiement. Rien n'a été crédité.",
    "review": "Le message de PayPal sur ce paiement doit être examiné par {seller}. Ne payez pas une seconde fois.",
    "late": "Pas encore de réponse. Vous pouvez fermer cette page : le montant sera crédité dès que PayPal confirme.",
    "cancelled": "Aucun paiement reçu. Si vous avez payé ailleurs, il sera crédité dès que PayPal confirme.",
    "item": "Dépôt sur votre compte",
    "trouble": "Cette page ne peut pas être affichée. Réessayez dans une minute.",
    "unreachable": "PayPal ne répond pas. Revenez en arrière et réessayez dans une minute.",
    "expired": "Ce lien a expiré. Demandez-en un nouveau à {seller}.",
    "again": "Revenir au paiement",
    "missing": "Il n'y a pas de paiement à cette adresse.",
    "reload": "Rechargez cette page pour voir si le paiement est arrivé.",
}
_ES = {
    "title": "Depósito",
    "to": "a {seller}",
    "pay": "Pagar con PayPal",
    "leaves": "Irá a PayPal y volverá aquí.",
    "test": "Prueba: este pago va al entorno de pruebas de PayPal, no se mueve dinero real.",
    "open": "Esperamos la confirmación de PayPal. Suele tardar unos segundos.",
    "pending": "PayPal tiene su pago y espera los fondos. Se abonará en cuanto lleguen.",
    "paid": "Pagado. El importe se abonó en su cuenta.",
    "failed": "PayPal no completó este pago. No se abonó nada.",
    "review": "{seller} debe revisar el mensaje de PayPal sobre este pago. No pague de nuevo.",
    "late": "Aún no hay respuesta. Puede cerrar esta página: el importe se abonará cuando PayPal lo confirme.",
    "cancelled": "No ha llegado ningún pago. Si pagó en otra ventana, se abonará cuando PayPal lo confirme.",
    "item": "Depósito en su cuenta",
    "trouble": "Esta página no se puede mostrar ahora. Inténtelo de nuevo en un minuto.",
    "unreachable": "PayPal no responde. Vuelva atrás e inténtelo de nuevo en un minuto.",
    "expired": "Este enlace ha caducado. Pida uno nuevo a {seller}.",
    "again": "Volver al pago",
    "missing": "No hay ningún pago en esta dirección.",
    "reload": "Recargue esta página para ver si el pago ha llegado.",
}
WORDS = {"en": _EN, "fr": _FR, "es": _ES}


def words(language: str) -> dict[str, str]:
    """The texts for a language as ``language_of`` takes it."""
    return WORDS[language_of(language)]


def language_of(language: str) -> str:
    """``en``, ``fr`` or ``es``, for a tag such as ``fr-CA`` or the header ``Accept-Language``: the first tag counts."""
    short = re.split("[-_,;]", language.strip(), maxsplit=1)[0].strip().lower()
    return short if short in LANGUAGES else "en"


def amount(text: str, currency: str, language: str) -> str:
    """Decimal text and currency as they are written in a language, with a no-break space between."""
    mark = {"fr": ",", "es": ","}.get(language_of(language), ".")
    return f"{text.replace('.', mark)}\N{NO-BREAK SPACE}{currency}"

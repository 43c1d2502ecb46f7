"""What the titles of a carrier's columns mean, in the spellings and languages that carriers use."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"[a-z]+|[0-9]+|%")
_WORDS_AND_SIGNS = re.compile(r"[a-z]+|[0-9]+|[%/\u00a2]")
_PLURAL = re.compile(r"(?<=[a-z])\(s\)")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CURRENCIES = _set(
    "usd eur gbp cad aud chf jpy inr brl mxn cny hkd sgd zar nzd sek nok dkk pln czk try aed rub ars clp cop"
)
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr"}
_EURO = _set("euro euros eurocent eurocents eurct")
SECONDS = _set("s sec secs second seconds seconde secondes seg segundo segundos sek sekunde sekunden secondo secondi")
MINUTES = _set("min mins mn minute minutes minuto minutos minuten minuti")
HOURS = _set("h hr hrs hour hours heure heures hora horas stunde stunden ora ore")
CENTS = _set(
    "cent cents ct cts cpm ppm centime centimes centimo centimos centavo centavos centesimo centesimi pence penny "
    "paise paisa rappen groszy kopek kopeks kopeck kopecks eurocent eurocents eurct uscent uscents usc \u00a2"
)
"""Hundredths of a currency; cpm and ppm are cents and pence per minute."""
MILLS = _set("mill mills fils")
_UNITS = SECONDS | MINUTES | HOURS | CENTS | MILLS | _EURO
_BETWEEN = _set("per pro por par je in voice the of en de der du des")
_NO_PRICE = _set("old previous prior asr acd pdd ner change changed percent % margin quality alt id limit")
_PRICE = _set("rate rates price prices pricing tarif tarifs tariff tarifa precio preis prix cost costo coste")
_MORE_PRICE = _set(
    "inter intra interstate intrastate local indeterminate indet ij peak offpeak off weekend day night new current "
    "buy sell standard gold premium silver international surcharge"
)

_SPELLINGS = {
    "prefix": "prefix prefixes prefijo prefijos prefixe prefixo prefisso code codes codigo dialcode dialcodes "
    "dialprefix dialingcode diallingcode dialledcode destinationcode destcode destinationprefix indicatif indicatifs "
    "npanxx 1npanxx npanxxx vorwahl rufnummernprefix codeprefix areaprefix callprefix digits",
    "country_code": "npa countrycode cc countryprefix countrydialcode codepays codigopais landesvorwahl laendervorwahl",
    "area_codes": "nxx areacode areacodes citycode citycodes codesarea codigoarea ortsvorwahl localcode nationalcode",
    "destination": "destination destinationname destinations dest description name destino nom nombre ziel zielland "
    "zone breakout breakoutname routename destinazione beschreibung designation locationname location "
    "country land pays pais region",
    "increments": "increments billingincrement billingincrements billing billinginterval pulse rounding takt taktung "
    "facturation incremento incrementos billingterms chargingincrement billingincr inc incr billingtype",
    "initial": "initial initialincrement firstincrement firstinterval initialincr minimum minimumduration mininterval "
    "interval1 initialinterval firstblock minduration min mindur minsec minsecs minseconds "
    " mintime mindestdauer minincrement initialseconds minimumseconds",
    "increment": "increment nextincrement nextinterval subsequent subsequentincrement secondincrement secondinterval "
    "intervaln interval additionalincrement additional step incrementseconds",
    "connect_fee": "connectfee connectionfee connectioncharge setupfee setup setupcharge callsetup callsetupfee "
    "connectcost connectioncost",
    "effective_from": "effectivefrom effectivedate effective effdate validfrom startdate begindate dateeffective "
    "dateeffet datedeffet fechaefectiva vigencia gueltigab gultigab startdatum activationdate date effectivedatetime",
    "match": "match",
    "home": "home",
    "effective_to": "effectiveto effectiveuntil enddate endingdate end expiry expirydate expirydatetime expiration "
    "expirationdate expires expireson expiredate validto validuntil validtill todate terminationdate stopdate "
    "dateend datefin datedefin findevalidite fechafin fechadefin fechafinal validohasta validahasta hasta "
    "vencimiento caducidad gultigbis gueltigbis bis enddatum ablaufdatum",
    "status": "status statut estado routestatus destinationstatus codestatus linestatus availability active enabled "
    "activo actif aktiv",
}
_LOOKS = {
    "status": _set(
        "status statut estado availability available active inactive enabled disabled blocked blocking closed barred "
        "suspended deleted activo actif aktiv inaktiv gesperrt bloqueado bloque"
    ),
    "effective_to": _set(
        "end ends ending expiry expires expired expiration until till termination bis hasta fin ablauf"
    ),
    "initial": _set("min minimum minimal mininum minima minimo minime mindest mindestdauer"),
}
"""Words in titles of columns that are not known otherwise, which may decide whether or how a line counts."""
_MEANING = {spelling: column for column, spellings in _SPELLINGS.items() for spelling in spellings.split()}
RATE, MAYBE_PRICE, NO_PRICE, UNKNOWN = "rate_per_minute", "maybe_price", "no_price", ""


def words_of(title: str) -> list[str]:
    """A title -> its words and numbers in small letters without accents; ``Rate(s)`` is ``Rate``."""
    return _WORDS.findall(_plain(title))


def words_and_signs(title: str) -> list[str]:
    """The words and numbers of a title, and the signs ``/``, ``%`` and that of the cent, in their order."""
    return _WORDS_AND_SIGNS.findall(_plain(title))


def _plain(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title.lower().replace("ß", "ss"))
    return _PLURAL.sub("", "".join(sign for sign in plain if not unicodedata.combining(sign)))


def meaning(title: str) -> str:
    """Our column that a title names; ``rate_per_minute`` for every title of a price, or one of the other constants.

    ``maybe_price``: a word such as ``Intra`` that names a price in some files. ``no_price``: such as ``Old rate``.
    """
    words = words_of(title)
    if _NO_PRICE.intersection(words):
        return NO_PRICE
    joined = "".join(words)
    if joined in _MEANING:
        return _MEANING[joined]
    rest = [word for word in words if word not in _UNITS | _BETWEEN | CURRENCIES and word != "call"]
    if _PRICE.intersection(rest) or joined.startswith(("rateper", "priceper", "costper")):
        return RATE
    if words and not rest and (set(words) & (CURRENCIES | SECONDS | CENTS) or len(words) > 1):
        return RATE
    return MAYBE_PRICE if rest and _MORE_PRICE.issuperset(rest) else _MEANING.get("".join(rest), UNKNOWN)


def is_of_prices(word: str) -> bool:
    """Whether a word of a title names a price, a unit or a currency, or stands between such words."""
    return word in _PRICE | _MORE_PRICE | _UNITS | _BETWEEN | CURRENCIES


def looks_like(title: str) -> str:
    """``status``, ``effective_to`` or ``initial`` for a title that has a word of such a column; else ""."""
    words = set(words_of(title))
    return next((column for column, known in _LOOKS.items() if words & known), "")


def currency(title: str) -> str:
    """The currency that the title of a price names (ISO code), or ""."""
    words = words_of(title)
    named = [word for word in words if word in CURRENCIES] + ["eur" for word in words if word in _EURO]
    named += [code for sign, code in _SIGNS.items() if sign in title]
    return named[0].upper() if named else ""


def is_npanxx(title: str) -> bool:
    """Whether a title says that prefixes are area code and exchange of the NANP, without its calling code 1."""
    return "".join(words_of(title)) in ("npanxx", "npanxxx", "npa")

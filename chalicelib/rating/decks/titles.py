"""What the titles of a carrier's columns mean, in the spellings and languages that carriers use."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"[a-z0-9%]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CURRENCIES = _set(
    "usd eur gbp cad aud chf jpy inr brl mxn cny hkd sgd zar nzd sek nok dkk pln czk try aed rub ars clp cop"
)
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp"}
_UNITS = _set("per min mins minute minuto minuten minutes pro por par in voice call the of en de der du des")
_SECONDS = _set("sec secs second seconds seconde segundo sekunde")
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
    "country_code": "countrycode cc countryprefix countrydialcode codepays codigopais landesvorwahl laendervorwahl",
    "area_codes": "areacode areacodes citycode citycodes codesarea codigoarea ortsvorwahl localcode nationalcode",
    "destination": "destination destinationname destinations dest description name destino nom nombre ziel zielland "
    "zone breakout breakoutname routename destinazione beschreibung designation locationname location "
    "country land pays pais region",
    "increments": "increments billingincrement billingincrements billing billinginterval pulse rounding takt taktung "
    "facturation incremento incrementos billingterms chargingincrement billingincr inc incr billingtype",
    "initial": "initial initialincrement firstincrement firstinterval initialincr minimum minimumduration mininterval "
    "interval1 initialinterval firstblock minduration minincrement initialseconds minimumseconds",
    "increment": "increment nextincrement nextinterval subsequent subsequentincrement secondincrement secondinterval "
    "intervaln interval additionalincrement additional step incrementseconds",
    "connect_fee": "connectfee connectionfee connectioncharge setupfee setup setupcharge callsetup callsetupfee "
    "connectcost connectioncost",
    "effective_from": "effectivefrom effectivedate effective effdate validfrom startdate begindate dateeffective "
    "dateeffet datedeffet fechaefectiva vigencia gueltigab gultigab startdatum activationdate date effectivedatetime",
    "match": "match",
    "home": "home",
}
_MEANING = {spelling: column for column, spellings in _SPELLINGS.items() for spelling in spellings.split()}
RATE, MAYBE_PRICE, NO_PRICE, UNKNOWN = "rate_per_minute", "maybe_price", "no_price", ""


def words_of(title: str) -> list[str]:
    """A title -> its words in small letters without accents."""
    plain = unicodedata.normalize("NFKD", title.lower().replace("ß", "ss"))
    return _WORDS.findall("".join(sign for sign in plain if not unicodedata.combining(sign)))


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
    rest = [word for word in words if word not in _UNITS | _SECONDS | CURRENCIES]
    if _PRICE.intersection(rest) or joined.startswith(("rateper", "priceper", "costper")):
        return RATE
    if words and not rest and (set(words) & (CURRENCIES | _SECONDS) or len(words) > 1):
        return RATE
    return MAYBE_PRICE if rest and _MORE_PRICE.issuperset(rest) else _MEANING.get("".join(rest), UNKNOWN)


def per_second(title: str) -> bool:
    """Whether the title of a price names seconds."""
    return bool(_SECONDS.intersection(words_of(title)))


def currency(title: str) -> str:
    """The currency that the title of a price names (ISO code), or ""."""
    named = [word for word in words_of(title) if word in CURRENCIES]
    named += [code for sign, code in _SIGNS.items() if sign in title]
    return named[0].upper() if named else ""


def is_npanxx(title: str) -> bool:
    """Whether a title says that prefixes are area code and exchange of the NANP, without its calling code 1."""
    return "".join(words_of(title)) in ("npanxx", "npanxxx")

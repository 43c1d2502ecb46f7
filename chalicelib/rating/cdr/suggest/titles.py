"""What switches and carriers call the columns of their files, and their words for dispositions and directions.

Plain data. A title or word is compared without capitals, blanks and punctuation (``bare``).
"""

from __future__ import annotations

import re
import unicodedata

from chalicelib.calls.format import ANSWERED, BUSY, FAILED, INBOUND, NO_ANSWER, OUTBOUND

_PUNCTUATION = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """A title or word in the form in which it is compared: small letters without accents, and digits."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return _PUNCTUATION.sub("", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def zone_in(title: str) -> str | None:
    """``UTC`` where the title of a column says so (``Start (UTC)``), else None."""
    return "UTC" if re.search(r"\b(?:utc|gmt)\b", title.replace("_", " ").lower()) else None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES: dict[str, tuple[str, ...]] = {
    "call_id": (
        "callid uniqueid uuid callsid cdrid id callcontrolid pkid historyid globalcallidcallid xmlcdruuid recordid "
        "callsessionid sessionid acctid calluuid referencia reference ref",
    ),
    "start": (
        "start startstamp starttime starttimestamp startedat begin callstart datetimestart timestart initiated",
        "calldate datetimeorigination calltime datetime startdate datetimeutc datetimestartutc startutc starttimeutc "
        "startepoch begintime debut heuredebut datedebut dateheure fechahora inicio fechainicio horainicio",
        "date fecha timestamp datecreated createdat time hora",
    ),
    "direction": ("direction calldirection sens sentido direccion", "calltype type tipo"),
    "account": (
        "account accountcode username subaccount useraccount sipusername sipuser",
        "user compte cuenta utilisateur usuario extension callerextension poste ext fromdn agent",
    ),
    "from": (
        "from src source calleridnumber callingpartynumber fromnumber callernumber calling fromno sourcenumber "
        "callingnumber originator originatingnumber cli anumber appelant origen llamante",
        "callerid caller clid ani callfrom numeroappelant numeroorigen origin",
    ),
    "to": (
        "to dst destinationnumber finalcalledpartynumber tonumber callednumber calleenumber called dialled dialed "
        "dialednumber diallednumber bnumber destinationdid cld numeroappele appele numerodestino llamado dialno",
        "destination destino destinataire callto callee tono number",
    ),
    "disposition": (
        "disposition callstatus status callresult result state callstate statut estado estatus resultado etat",
        "hangupcause reasonterminated terminationreason outcome",
    ),
    "seconds": (
        "seconds billsec billableseconds billedseconds billsecs billedsec billedduration billableduration talktime "
        "talking talkseconds talktimeseconds conversation billabletime conversationtime dureefacturee "
        "duracionfacturada secondes segundos",
        "billmsec billedminutes billableminutes minutesbilled billableminutes talkminutes talktimems",
    ),
    "duration": (
        "duration callduration durationseconds durationsec durations durationsecs totalduration calllength length "
        "duree dureesecondes duracion duracionsegundos tiempo totaltime",
        "durationms durationmsec durationminutes durationmin durationmins callminutes minutes dureeminutes "
        "duracionminutos minutos",
    ),
    "cost": ("cost total totalcost callcost billcost price amount cout prix costo coste precio importe",),
    "channel": ("channel sourcechannel srcchannel callerchannel origdevicename",),
    "destination_channel": ("dstchannel destchannel destinationchannel destdevicename",),
    "context": ("dcontext context callercontext",),
    "application": ("lastapp application lastapplication",),
    "did": ("did",),
}
"""Forfait's column -> titles in the order of preference, separated by blanks; those of one text are equally good."""

START_TITLES = frozenset(" ".join(TITLES["start"]).split()) | _words("heure hour jour day callday")
EXTENSION_TITLES = frozenset(TITLES["account"][1].split())
"""Titles of a column that may name the extension that answered a call."""
ANSWER_TITLES = _words("answer answerstamp answertime datetimeconnect timeanswered answeredat answerdate")
END_TITLES = _words("end endstamp endtime datetimedisconnect timeend endedat enddate hangup hanguptime")

CONNECTED = (
    frozenset({"datetimeconnect", "datetimedisconnect"}),
    frozenset({"callsid", "starttime", "endtime"}),
    frozenset({"callcontrolid", "starttime", "endtime"}),
)
"""A file with all titles of one of these sets is of a system whose ``duration`` counts from the answer on (Cisco CUCM,
Twilio, Telnyx). One title alone does not show the system: others call their ids so, too."""

DISPOSITIONS: dict[str, str] = {
    word: ours
    for ours, words in {
        ANSWERED: "answered answer completed complete connected success successful ok yes repondu repondue decroche "
        "contestada contestado respondida atendida answer200 bridged",
        NO_ANSWER: "noanswer unanswered missed cancel cancelled canceled congestion ringing noreply notanswered "
        "sansreponse nonrepondu nonrepondue manque annule nocontesta nocontestada nocontestado sinrespuesta perdida "
        "cancelada originatorcancel nouserresponse abandoned",
        BUSY: "busy userbusy occupe ocupado ocupada",
        FAILED: "failed fail failure error unavailable rejected echec echoue fallida fallido fallo incomplete "
        "chanunavail",
    }.items()
    for word in words.split()
}
"""A word of a switch in ``bare`` form -> Forfait's disposition."""

DIRECTIONS: dict[str, str] = {
    word: ours
    for ours, words in {
        OUTBOUND: "outbound outgoing out outboundapi outbounddial sortant sortante salida saliente egress local "
        "internal interne interna interno",
        INBOUND: "inbound incoming in entrant entrante entrada ingress",
    }.items()
    for word in words.split()
}
"""A word of a switch in ``bare`` form -> Forfait's direction."""

TRUNKS = _words(
    "from-trunk from-pstn public incoming inbound from-did-direct from-pstn-toheader from-sip-external from-outside "
    "from-provider from-carrier"
)
"""Names of dialplan contexts that switches ship with for calls from a trunk."""

LISTS: dict[str, tuple[str, ...]] = {
    "asterisk cdr_csv": (
        "account from to context clid channel destination_channel application - start answer end duration seconds "
        "disposition -",
    ),
    "asterisk cdr_custom": (
        "clid from to context channel destination_channel application - start answer end duration seconds disposition "
        "- account",
    ),
    "freeswitch": ("clid from to context start answer end duration seconds disposition call_id - account",),
}
"""Files without a header: what their first columns hold, in the order in which the system writes them."""

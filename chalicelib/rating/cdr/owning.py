"""Whose call a row is: the direction, and the user name of the sub-account that made an outbound call.

``docs/cdr-formats.md`` ("Whose call is it?") has the rules as a table that tests read. One row is one leg of a call. A
caller can choose the caller's number, so that number alone never makes somebody pay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.calls.format import INBOUND, OUTBOUND
from chalicelib.dialling import DialPlan, user_of
from chalicelib.rating.cdr.call import BadField
from chalicelib.rating.cdr.declaration import ACCOUNT_RULES, Declaration, Side, Skip
from chalicelib.rating.cdr.mapping import NO_MAPPING, ColumnMapping, plain

_NAMED = frozenset(("sip", "pjsip", "iax2", "iax", "sccp", "local"))
"""Technologies whose channels are named after the sub-account. Channels of lines (``DAHDI/1-1``) only have numbers."""
SOFIA = "sofia/"
"""How the channels of FreeSWITCH begin."""
INSIDE = frozenset(
    ("from-internal", "internal", "from-inside", "outbound", "outgoing", "from-internal-xfer", "from-internal-noxfer")
)
"""Names of dialplan contexts that switches ship with for calls from inside. A default account is for their rows; they
do not make a caller's number count."""
INSIDE_OF_FREESWITCH = "default"
"""The same of FreeSWITCH, whose rows have no channel; Asterisk has guests in the context of this name."""
_SHOWN = 64
"""Characters of a field that a message shows."""


@dataclass(frozen=True)
class Known:
    """What a reseller has: the user names of its sub-accounts, the DIDs that clients hold or held, and DID -> the user
    name of the one sub-account that it is assigned to."""

    accounts: Collection[str] = frozenset()
    dids: Collection[str] = frozenset()
    callers: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN = Known()


class Found(NamedTuple):
    """What account code, channel and context say about a row.

    ``direction``: "" if they do not say it: then it depends on the number called. ``account``: the user name or, if no
    sub-account was found, the account code as written or the default one. ``asks_caller``: the caller's number is tried
    before that.
    """

    direction: str
    account: str
    asks_caller: bool


class Owning:
    """The rules of one source: ``known`` is what its reseller has, ``plan`` how its numbers are dialled.

    ``rules``: those about accounts if the source declares none. ``mapping``: its defaults for direction and account are
    used where no rule says anything.
    """

    def __init__(
        self,
        declares: Declaration,
        known: Known,
        plan: DialPlan,
        rules: tuple[str, ...] = ACCOUNT_RULES,
        mapping: ColumnMapping = NO_MAPPING,
    ) -> None:
        self._known, self._plan = known, plan
        self._inside, self._trunks = _plain_side(declares.inside), _plain_side(declares.trunks)
        # A default direction says nothing about the single row, so only a declared rule looks at its caller.
        self._rules, self._is_declared = declares.account or rules, bool(declares.account)
        self._direction, self._account = (mapping.defaults.get(name, "") for name in ("direction", "account"))

    def found(self, direction: str, account: str, stem: str, context: str, did: str = "") -> Found:
        """What a row says without its numbers; ``direction``: the text of a declared column, or ""; ``stem`` as
        ``stem_of`` makes it; ``did``: not empty if the row names a DID, as only calls from outside do."""
        if direction.strip() and plain(direction) != OUTBOUND:
            return Found(direction, account, False)
        declared = bool(direction.strip())
        if not declared:
            # A forwarded call comes from a trunk, although its context may be one of inside.
            if _is_of(self._trunks, stem, context):
                return Found(INBOUND, "", False)
            declared = not did and _is_of(self._inside, stem, context)
        is_default = declared or (self._direction == OUTBOUND and not did)
        written = account.strip()
        by_rule = {"column": written, "channel": named(stem, declared)}
        # A local channel has the caller's number of the call that it continues, which may come from anywhere.
        asks = (declared or (is_default and self._is_declared)) and not plain(stem).startswith("local/")
        asked = False
        for rule in self._rules:
            if rule == "caller":
                asked = asks
            elif by_rule[rule] and by_rule[rule] in self._known.accounts:
                return Found(OUTBOUND, by_rule[rule], asked)
        if not written and (is_default or (not did and _is_shipped_inside(stem, context))):
            written = self._account
        return Found(OUTBOUND if declared else "", written, asked)

    def of_caller(self, caller: str) -> str:
        """The user name that a caller's number stands for; "" for one that is not known."""
        text = user_of(caller)
        if text in self._known.accounts:
            return text
        try:
            return self._known.callers.get(self._plan.read(text), "")
        except ValueError:
            return ""

    def is_held(self, called: str) -> bool:
        """Whether a number called is a DID that a client holds or held."""
        try:
            return self._plan.read(called) in self._known.dids
        except ValueError:
            return False

    def settled(self, found: Found, caller: str, called: str) -> tuple[str, str] | None:
        """The direction and the account of a row, with its numbers; None: nothing says whose it is."""
        direction, account, asks_caller = found
        if not direction and self.is_held(called):
            return INBOUND, ""
        direction = direction or self._direction
        if direction != OUTBOUND and direction:
            return direction, account
        if asks_caller:
            account = self.of_caller(caller) or account
        # An account code that is not known is refused by its name when the call is priced.
        return (OUTBOUND, account) if account else None


class Skipping:
    """The rows of one source that are no calls."""

    def __init__(self, skip: Skip) -> None:
        self._contexts, self._applications, self._numbers = (
            frozenset(map(plain, texts)) for texts in (skip.contexts, skip.applications, skip.numbers)
        )
        self.longest = max(map(len, self._numbers), default=0)

    def why(self, context: str, application: str, called: str) -> str:
        """What of a row matches, such as ``context hangup``; "" for a call."""
        if plain(context) in self._contexts:
            return f"context {context.strip()}"
        if plain(application) in self._applications:
            return f"application {application.strip()}"
        return f"to {called.strip()}" if plain(user_of(called)) in self._numbers else ""


def stem_of(channel: str) -> str:
    """The name of a channel without the part that differs from call to call, from the last hyphen on.

    ``SIP/acme-office-0000a1`` -> ``SIP/acme-office``. Those of FreeSWITCH (``sofia/internal/1001@host``) have none.
    """
    text = channel.strip()
    return text if text[: len(SOFIA)].lower() == SOFIA else text.rpartition("-")[0] or text


def refusal(channel: str, context: str, caller: str, called: str) -> BadField:
    """Why a row is refused for which ``settled`` finds nothing: what it says, and what to do."""
    said = {"channel": channel, "context": context, "from": caller, "to": called}
    shown = ", ".join(f"{name} `{text.strip()[:_SHOWN]}`" for name, text in said.items() if text.strip())
    return BadField(
        "no_owner",
        f"no sub-account and no DID of yours is found by {shown or 'an empty row'}; add the sub-account or the DID, "
        "or declare account, direction or skip in a source",
    )


def named(stem: str, declared: bool) -> str:
    """The user name in the stem of a channel.

    That of a ``sofia`` channel is what the caller's device wrote, so it counts only if the call is ``declared`` to come
    from inside.
    """
    technology, _, name = stem.partition("/")
    if technology.lower() == "sofia":
        return name.partition("/")[2].partition("@")[0].removeprefix("sip:") if declared else ""
    if technology.lower() not in _NAMED:
        return ""
    return name.partition("@")[0] if technology.lower() == "local" else name


def _is_shipped_inside(stem: str, context: str) -> bool:
    return plain(context) in INSIDE or (not stem and plain(context) == INSIDE_OF_FREESWITCH)


def _plain_side(side: Side) -> Side:
    return Side(frozenset(map(plain, side.contexts)), frozenset(map(plain, side.channels)))


def _is_of(side: Side, stem: str, context: str) -> bool:
    """Whether a call is of a side, by its context or by the name of its channel, with or without the technology."""
    if plain(context) in side.contexts:
        return True
    if not side.channels:
        return False
    technology, _, name = plain(stem).partition("/")
    # ``DAHDI/i1/4165550123`` and ``sofia/external/1001@host`` have the name of the line or profile first.
    names = {name, name.partition("/")[0], name.partition("@")[0]}
    return not side.channels.isdisjoint(names | {f"{technology}/{each}" for each in names})

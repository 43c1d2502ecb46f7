"""The keys of accounts in the table never change: items that are stored must be found by every later release."""

from __future__ import annotations

import pytest

from chalicelib.accounts.store.api_keys import ApiKey, KeyPointer
from chalicelib.accounts.store.due import Closed, NumberFee
from chalicelib.accounts.store.holdings import ClientPackage, Did, Number, SubAccount, Username
from chalicelib.accounts.store.intake import Import, ImportLock, ImportRows, SignupDay, SignupLink
from chalicelib.accounts.store.ledger import Entry, FreeMinutes, Marker, Month, Once
from chalicelib.accounts.store.owners import Client, Reseller, ResellerPointer
from chalicelib.accounts.store.terms import Assignment, Package, PackageTerms, TermsHead

ACCOUNT, NUMBER = Assignment.holder_of_account("alice"), Assignment.holder_of_number("+14165550100")


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (ApiKey.key("k"), "KEY#k / KEY"),
        (Assignment.key("r", ACCOUNT, 7), "T#r / SUB#alice#000000000007"),
        (Assignment.key("r", NUMBER, 7), "T#r / DID#+14165550100#000000000007"),
        (Assignment.of_accounts("r"), "T#r / SUB#"),
        (Assignment.of_holder("r", ACCOUNT), "T#r / SUB#alice#"),
        (Assignment.of_numbers("r"), "T#r / DID#"),
        (Client.key("r", "c"), "R#r / CLIENT#c"),
        (Client.of_reseller("r"), "R#r / CLIENT#"),
        (ClientPackage.key("r", "c", "p"), "R#r / HOLDS#c#p"),
        (ClientPackage.of_client("r", "c"), "R#r / HOLDS#c#"),
        (ClientPackage.of_reseller("r"), "R#r / HOLDS#"),
        (Closed.key("r"), "R#r / CLOSED"),
        (Did.key("r", "+1"), "R#r / DID#+1"),
        (Entry.key("c", 12), "L#c / ENTRY#000000000012"),
        (Entry.of_owner("c"), "L#c / ENTRY#"),
        (FreeMinutes.key("c", "p", "2026-09"), "L#c / FREE#p#2026-09"),
        (Import.key("r", "i"), "R#r / IMPORT#i"),
        (ImportLock.key("r"), "R#r / IMPORTING"),
        (ImportRows.key("r", "i", 20), "IMPORT#r#i / 000020"),
        (ImportRows.of_import("r", "i"), "IMPORT#r#i / "),
        (KeyPointer.key("r", "k"), "R#r / KEY#k"),
        (Marker.key("c", "b", 2, "2026-09"), "L#c / MARK#b#2#2026-09"),
        (Marker.of_batch("c", "b"), "L#c / MARK#b#"),
        (Marker.of_client("c"), "L#c / MARK#"),
        (Month.key("c", "2026-09"), "L#c / MONTH#2026-09"),
        (Number.key("+1"), "INVENTORY / +1"),
        (NumberFee.key("r", "+1"), "R#r / NUMBERFEE#+1"),
        (Once.key("c", Once.fee("s", "2026-09-30")), "L#c / ONCE#fee:s:2026-09-30"),
        (Once.key("c", Once.reversal("3")), "L#c / ONCE#reverse:3"),
        (Once.key("r", Once.cost("b", 2, "2026-09")), "L#r / ONCE#cost:b:2:2026-09"),
        (Once.costs_of("r", "b"), "L#r / ONCE#cost:b:"),
        (Package.key("r", "p"), "R#r / PACKAGE#p"),
        (PackageTerms.key("r", "p", 7), "T#r / PACKAGE#p#000000000007"),
        (PackageTerms.of_package("r", "p"), "T#r / PACKAGE#p#"),
        (PackageTerms.of_reseller("r"), "T#r / PACKAGE#"),
        (Reseller.key("r"), "R#r / RESELLER"),
        (ResellerPointer.key("r"), "RESELLERS / r"),
        (SignupDay.key("r", "2026-09-30"), "R#r / SIGNUPS#2026-09-30"),
        (SignupLink.key("t"), "SIGNUP#t / LINK"),
        (SubAccount.key("r", "s"), "R#r / SUB#s"),
        (TermsHead.key("r"), "T#r / HEAD"),
        (Username.key("r", "alice"), "R#r / USERNAME#alice"),
    ],
)
def test_a_key_is_stored_as_it_always_was(key: tuple[str, str], stored: str) -> None:
    assert " / ".join(key) == stored


def test_a_key_is_read_back() -> None:
    marker = Marker(*Marker.key("c", "b", 2, "2026-09"))
    assert (marker.batch_id, marker.generation, marker.month) == ("b", 2, "2026-09")
    assert Month(*Month.key("c", "2026-09")).month == "2026-09"
    assert Once(*Once.key("r", Once.cost("b", 2, "2026-09"))).generation_and_month == (2, "2026-09")
    assert KeyPointer(*KeyPointer.key("r", "k")).key_id == "k"
    assert ResellerPointer(*ResellerPointer.key("r")).reseller_id == "r"
    assert TermsHead(*TermsHead.key("r")).reseller_id == "r"

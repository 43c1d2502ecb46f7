"""Lists of clients as other systems write them: their titles, words, countries and numbers; nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

LIST = (
    "Account Number,First Name,Last Name,Company Name,E-Mail,Country,Balance,Billing Type,Internal notes\n"
    '1001,Ana,Díaz,Cedar,ana@cedar.example,España,"$1,208.20",Prepaid,x\n'
    "1002,Bo,Li,Elm,bo@elm.example,Canada,-8.20,postpaid,y\n"
    "1003,,,Oak,ANA@cedar.example,us,,,\n"
)


def preview(api: Any, text: str, **more: Any) -> Any:
    return api.post("/v1/imports", {"clients": text, "preview": True, **more}).json


def test_the_titles_of_other_systems_are_read_and_the_preview_says_how(reseller: Any) -> None:
    told = preview(reseller, LIST, columns={})
    assert (told["errors"], told["clients"]) == ([], 3)
    assert {one["column"]: one["read_as"] for one in told["columns"]} == {
        "Account Number": "ref", "First Name": "first_name", "Last Name": "last_name", "Company Name": "company",
        "E-Mail": "email", "Country": "country", "Balance": "balance", "Billing Type": "balance_mode",
        "Internal notes": None,
    }  # fmt: skip
    made = reseller.post("/v1/imports", {"clients": LIST, "columns": {}}).json
    clients = [reseller.get(f"/v1/clients/{made['client_ids'][ref]}").json for ref in ("1001", "1002", "1003")]
    assert [(one["country"], one["balance"], one["balance_mode"]) for one in clients] == [
        ("ES", "1208.20", "strict"), ("CA", "-8.20", "permissive"), ("US", "0.00", "permissive"),
    ]  # fmt: skip
    assert (clients[0]["first_name"], clients[0]["last_name"], clients[0]["company"]) == ("Ana", "Díaz", "Cedar")


def test_a_title_without_a_meaning_is_refused_unless_the_columns_are_declared(reseller: Any) -> None:
    (error,) = preview(reseller, LIST)["errors"]
    assert (error["line"], error["column"]) == (1, "internal notes")
    assert preview(reseller, LIST, columns={"city": "Internal notes"})["errors"] == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"town": "City"}, "town is no column of ours"),
        ({"city": "Place"}, '"Place" is not in the header'),
        ({}, '"Street" and "Address 1" both are address: name one of them in columns'),
    ],
)
def test_columns_that_do_not_fit_are_refused(reseller: Any, columns: dict[str, str], message: str) -> None:
    told = preview(reseller, "City,Street,Address 1\nA,B,C\n", columns=columns)
    assert message in [one["message"] for one in told["errors"]]


@pytest.mark.parametrize("line", ["Client list of ACME Telecom;;", "sep=;"])
def test_a_line_before_the_header_makes_no_empty_clients(reseller: Any, line: str) -> None:
    told = preview(reseller, f"{line}\nAccount Number;Company;Balance\n1;Acme;5\n", columns={})
    (first, *_) = told["errors"]
    assert first["line"] == 1 and first["message"].startswith("is no header")
    assert reseller.post("/v1/imports", {"clients": f"{line}\n1;2\n", "columns": {}}).status == 422


def test_a_declared_title_goes_before_what_is_known(reseller: Any) -> None:
    told = preview(reseller, "Customer,Account\nAcme,7\n", columns={"company": "Customer"})
    assert [tuple(one.values()) for one in told["columns"]] == [("Customer", "company"), ("Account", "ref")]


@pytest.mark.parametrize(
    ("cells", "number_format", "balances"),
    [
        (["-8,20", "1.208"], None, ["-8.20", "1208.00"]),
        (["12.50", "1.208"], None, ["12.50", "1.208"]),
        (["$1,208.20", "(8.20)", "8.20-"], None, ["1208.20", "-8.20", "-8.20"]),
        (["1.208"], "1.208,20", ["1208.00"]),
        (["1.208"], "1,208.20", ["1.208"]),
        (["1 208,20 €", "-€8,20"], None, ["1208.20", "-8.20"]),
    ],
)
def test_amounts_are_read_by_the_one_format_that_fits_all(
    reseller: Any, cells: list[str], number_format: str | None, balances: list[str]
) -> None:
    text = "ref;balance\n" + "".join(f"{number};{cell}\n" for number, cell in enumerate(cells))
    made = reseller.post("/v1/imports", {"clients": text, "number_format": number_format})
    assert made.status == 200, made.text
    ids = made.json["client_ids"]
    assert [reseller.get(f"/v1/clients/{ids[str(n)]}").json["balance"] for n in range(len(cells))] == balances


@pytest.mark.parametrize("cells", [["1.208"], ["1,208", "5"], ["8,20", "8.20"], ["1.208,20", "1,208.20"]])
def test_an_amount_that_may_be_two_numbers_is_never_guessed(reseller: Any, cells: list[str]) -> None:
    text = "ref;balance\n" + "".join(f"{number};{cell}\n" for number, cell in enumerate(cells))
    told = preview(reseller, text)["errors"]
    assert told and all("number_format" in one["message"] for one in told)
    assert reseller.post("/v1/imports", {"clients": text}).status == 422
    assert reseller.get("/v1/clients").json["items"] == []


def test_an_amount_against_the_declared_format_is_refused(reseller: Any) -> None:
    (error,) = preview(reseller, "balance\n8.20\n", number_format="1.208,20")["errors"]
    assert (error["line"], error["column"]) == (2, "balance")
    assert error["message"].startswith('"8.20" is no number written like 1.208,20')


@pytest.mark.parametrize(
    ("name", "code"),
    [("Canada", "CA"), ("ESPAÑA", "ES"), ("Etats-Unis", "US"), ("Allemagne", "DE"), ("fr", "FR"), ("U.K.", "GB")],
)
def test_countries_have_names_in_three_languages(name: str, code: str) -> None:
    from chalicelib.accounts.client_lines import read_cell

    assert read_cell("country", name, None) == code


def test_a_country_that_nobody_knows_is_named(reseller: Any) -> None:
    (error,) = preview(reseller, "country\nNarnia\n")["errors"]
    assert (error["line"], error["column"]) == (2, "country")


def test_an_email_twice_is_a_warning_in_the_file_and_against_clients_and_no_fault(reseller: Any) -> None:
    stored = reseller.made("/v1/clients", {"email": "bo@elm.example"})["id"]
    told = preview(reseller, LIST, columns={})
    assert [(one["line"], one["column"], one["message"]) for one in told["warnings"]] == [
        (3, "email", f"client {stored} has this address already"),
        (4, "email", "is on line 2, too"),
    ]
    assert told["errors"] == []

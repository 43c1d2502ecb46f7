"""Files of an import of clients, and all that an import makes, for the tests of imports."""

from __future__ import annotations

from typing import Any

CLIENTS = (
    "ref,company,balance_mode,balance,credit_limit,low_balance_threshold,country,time_zone,language\r\n"
    'old-1,"Acme, Imports",strict,12.50,,5,CA,America/Toronto,fr\r\n'
    "old-2,Boreal,permissive,-3.00000001,50,,,,\r\n"
    "\r\n"
    "old-3,Cedar,strict,0,,,,,\r\n"
)


def subaccounts(package: str) -> str:
    return (
        "username;client;package;next_billing_date\n"
        f"acme-1;old-1;{package};2126-01-31\n"
        f"acme-2;old-1;{package};\n"
        f"boreal;old-2;{package};\n"
    )


def dids(*numbers: str) -> str:
    lines = [f"{numbers[0]},old-1,acme-2,4,0.02,60,60,2126-02-01", f"{numbers[1]},old-2,,2.95,,,,"]
    return "\n".join(["number,client,subaccount,monthly,per_minute,initial,increment,next_billing_date", *lines])


def everything(api: Any) -> dict[str, Any]:
    """All that an import can make, by names that do not change from one import to the next."""
    made = {one["id"]: one["company"] for one in api.get("/v1/clients?limit=200").json["items"]}
    told: dict[str, Any] = {}
    for one in api.get("/v1/clients?limit=200").json["items"]:
        path = f"/v1/clients/{one['id']}"
        entries = api.get(f"{path}/ledger").json["items"]
        told[one["company"]] = (
            *(one[name] for name in ("status", "service", "balance_mode", "balance", "credit_limit", "country")),
            [(entry["kind"], entry["amount"], entry["balance_after"], entry["description"]) for entry in entries],
            len(api.get(f"{path}/packages").json["items"]),
        )
    held = api.get("/v1/subaccounts?limit=200").json["items"]
    usernames = {one["id"]: one["username"] for one in held}
    told["subaccounts"] = sorted((one["username"], made[one["client_id"]], one["next_billing_date"]) for one in held)
    told["dids"] = sorted(
        (made.get(one["client_id"]), usernames.get(one["subaccount_id"]), one["monthly"], one["per_minute"])
        for one in api.get("/v1/dids?limit=200").json["items"]
    )
    return told


def run(api: Any, body: Any) -> Any:
    from chalicelib.accounts.service import imports
    from chalicelib.aws.transactions import Scope

    # So few writes to a transaction that every file takes several.
    return imports.run(Scope("test", 1_790_000_000), api.ids["reseller"], body, most_writes=9)

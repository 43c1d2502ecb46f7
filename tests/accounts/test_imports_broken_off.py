"""Imports that are killed or meet other requests: each line is there once, or nothing."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from faults import Killed, counted, killed_at
from imported_files import everything, run


def test_killed_at_any_write_and_sent_again_the_import_is_the_same(make_ready: Any) -> None:
    """A process that dies while it reads is one that died after its last write."""
    api, body = make_ready()
    with counted() as made:
        assert run(api, body).status == "done"
    whole = everything(api)
    assert whole["subaccounts"] and whole["dids"][0][0]
    writes = [number for number, operation in enumerate(made) if operation.startswith("TransactWrite")]
    # The lock, the beginning, and two or more of each file.
    assert len(writes) >= 8
    for call, answered in itertools.product(writes, (False, True)):
        api, body = make_ready()
        with pytest.raises(Killed), killed_at(call, answered=answered):
            run(api, body)
        assert run(api, body).status == "done"
        assert everything(api) == whole, (call, answered)
        assert trail(api) == EVENTS, (call, answered)


EVENTS = {"import.begun": 1, "import.done": 1, "client.created": 4, "subaccount.created": 3, "did.assigned": 3}


def trail(api: Any) -> dict[str, int]:
    """How often the audit trail tells of each kind of thing that an import does."""
    from chalicelib.aws.transactions import Event

    kinds = [item.kind for item in Event.under(*Event.of_owner(api.ids["reseller"]))]
    return {kind: kinds.count(kind) for kind in EVENTS}


@pytest.fixture
def broken_off(make_ready: Any) -> Iterator[tuple[Any, Any]]:
    """A reseller whose import was killed after its first transactions."""
    api, body = make_ready()
    with pytest.raises(Killed), killed_at(45, answered=True):
        run(api, body)
    yield api, body


def test_while_an_import_is_unfinished_what_it_counts_on_stays(broken_off: tuple[Any, Any]) -> None:
    from chalicelib.accounts.store.intake import Import

    api, _ = broken_off
    (begun,) = Import.under(*Import.of_reseller(api.ids["reseller"]))
    assert begun.status == "applying" and 0 < begun.done < begun.rows
    told = api.get(f"/v1/imports/{begun.import_id}").json
    assert (told["status"], told["finished_at"]) == ("applying", None)
    before = next(one for one in api.get("/v1/clients").json["items"] if one["company"] == "Before")
    number = api.get("/v1/dids").json["items"][0]["number"]
    package = api.get("/v1/packages").json["items"][0]["id"]
    tries = [
        api.post("/v1/subaccounts", {"username": "boreal", "client_id": before["id"], "package_id": package}),
        api.post(f"/v1/dids/{number}/assign", {"client_id": before["id"]}),
        api.post(f"/v1/dids/{number}/cancel"),
        api.delete(f"/v1/clients/{before['id']}"),
        api.post("/v1/imports", {"clients": "company\nAnother\n"}),
    ]
    assert [(reply.status, begun.import_id in reply.text) for reply in tries] == [(409, True)] * len(tries)
    assert api.post(f"/v1/clients/{before['id']}/payments", {"amount": "1"}).status == 201
    assert api.post(f"/v1/imports/{begun.import_id}/resume").json["status"] == "done"
    assert api.delete(f"/v1/clients/{before['id']}").status == 204


def test_a_lock_whose_holder_died_before_the_import_began_is_worth_nothing_after_a_minute(make_ready: Any) -> None:
    import time

    from chalicelib.accounts.store.intake import Import, ImportLock

    api, body = make_ready()
    call = 0
    while not (locks := ImportLock.under(*ImportLock.key(api.ids["reseller"]))):
        with pytest.raises(Killed), killed_at(call := call + 1, answered=True):
            run(api, body)
    assert Import.under(*Import.of_reseller(api.ids["reseller"])) == []
    before = api.get("/v1/clients").json["items"][0]["id"]
    locks[0].update(actions=[ImportLock.taken_at.set(int(time.time()) - 30)])
    assert api.delete(f"/v1/clients/{before}").status == 409
    locks[0].update(actions=[ImportLock.taken_at.set(int(time.time()) - 61)])
    assert api.delete(f"/v1/clients/{before}").status == 204
    assert ImportLock.under(*ImportLock.key(api.ids["reseller"])) == []
    assert run(api, body).status == "done"


def test_a_number_that_was_somebodys_waits_for_the_batch_that_is_being_rated(make_ready: Any) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.aws.transactions import Scope, commit
    from chalicelib.errors import Conflict

    api, body = make_ready()
    reseller_id = api.ids["reseller"]
    commit(Scope("test", 1), [term_versions.open_batch(term_versions.head_of(reseller_id), "batch-1")])
    with pytest.raises(Conflict, match="batch-1"):
        run(api, body)
    assert len(api.get("/v1/subaccounts").json["items"]) == 3
    commit(Scope("test", 1), [term_versions.close_batch(reseller_id, "batch-1")])
    assert run(api, body).status == "done"
    assert sorted(one["client_id"] is None for one in api.get("/v1/dids").json["items"]) == [False, False]


def test_an_import_beside_sub_accounts_made_by_hand_never_uses_a_name_twice(make_ready: Any) -> None:
    for _ in range(4):
        api, body = make_ready()
        client = api.made("/v1/clients", {"company": f"Hand {uuid.uuid4().hex}"})["id"]
        package = api.get("/v1/packages").json["items"][0]["id"]
        by_hand = {"username": "boreal", "client_id": client, "package_id": package}
        with ThreadPoolExecutor(2) as pool:
            importing = pool.submit(lambda api=api, body=body: api.post("/v1/imports", body.model_dump(mode="json")))
            making = pool.submit(api.post, "/v1/subaccounts", by_hand)
        assert (importing.result().status, making.result().status) in [(200, 409), (422, 201)]
        owners = [one["client_id"] for one in api.get("/v1/subaccounts").json["items"] if one["username"] == "boreal"]
        assert len(owners) == 1

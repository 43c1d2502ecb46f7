"""Keys are spelled by templates, one per model."""

from __future__ import annotations

import pytest

from chalicelib.aws.items import Key, KeyOf


def test_a_key_is_made_of_its_fields_in_their_order():
    key = KeyOf("L#<owner_id>", "ENTRY#<sequence:012d>#<month>")
    assert key("c1", 7, "2026-09") == Key("L#c1", "ENTRY#000000000007#2026-09")


def test_a_key_without_fields_takes_no_values():
    assert KeyOf("DECKS", "HEAD")() == Key("DECKS", "HEAD")


def test_values_are_text_and_no_templates():
    assert KeyOf("R#<reseller_id>", "USERNAME#<name>")("r", "<x>{0}") == Key("R#r", "USERNAME#<x>{0}")


@pytest.mark.parametrize("values", [(), ("a",), ("a", "b", "c")])
def test_another_number_of_values_is_refused(values: tuple[str, ...]):
    with pytest.raises(TypeError, match="takes 2 values"):
        KeyOf("R#<reseller_id>", "CLIENT#<client_id>")(*values)

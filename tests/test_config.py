"""Settings fail by name, and secrets come from Secrets Manager everywhere but on the local stage."""

from __future__ import annotations

import json
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from chalicelib import config
from chalicelib.aws import clients, secrets

GIVEN = {
    "FORFAIT_STAGE": "prod",
    "FORFAIT_TABLE": "t",
    "FORFAIT_BUCKET": "b",
    "FORFAIT_QUEUE": "q",
    "FORFAIT_HOURLY_QUEUE": "h",
}


def test_a_missing_variable_is_named():
    for name in GIVEN:
        with pytest.raises(RuntimeError, match=f"{name} is not set"):
            config.read({key: value for key, value in GIVEN.items() if key != name})


def test_a_variable_that_is_no_number_is_named():
    with pytest.raises(RuntimeError, match="FORFAIT_MAX_LINES must be a whole number"):
        config.read({**GIVEN, "FORFAIT_MAX_LINES": "many"})


def test_everything_else_has_a_default():
    settings = config.read(GIVEN)
    assert (settings.currency, settings.max_lines, settings.is_local) == ("USD", 50_000_000, False)


def test_only_the_local_stage_can_be_pointed_at_another_paypal():
    for stage, url in (("local", "http://127.0.0.1:9"), ("prod", ""), ("dev", ""), ("Local", ""), ("local ", "")):
        given = {**GIVEN, "FORFAIT_STAGE": stage, "FORFAIT_PAYPAL_LOCAL_URL": "http://127.0.0.1:9/"}
        assert config.read(given).paypal_local_url == url


@mock_aws
def test_secrets_come_from_secrets_manager_and_are_read_once(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(secrets, "settings", replace(config.settings, stage="prod", secret="forfait-prod"))
    secrets.deployment_secrets.cache_clear()
    clients.client.cache_clear()
    client = boto3.client("secretsmanager")
    kept = json.dumps({"operator_key": "fo_x", "signing_key": "s"})
    client.create_secret(Name="forfait-prod", SecretString=kept)
    try:
        assert secrets.deployment_secrets() == secrets.Secrets("fo_x", "s")
        client.delete_secret(SecretId="forfait-prod", ForceDeleteWithoutRecovery=True)
        assert secrets.deployment_secrets() == secrets.Secrets("fo_x", "s")
    finally:
        secrets.deployment_secrets.cache_clear()
        clients.client.cache_clear()

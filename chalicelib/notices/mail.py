"""The way out for e-mails: Amazon SES."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws import clients


@dataclass(frozen=True)
class Letter:
    """An e-mail in plain text. ``name`` is whom it seems to come from, ``reply_to`` where answers go."""

    to: str
    name: str
    reply_to: str
    subject: str
    text: str
    event_id: str


def send(letter: Letter, sender: str) -> str:
    """Hand a letter to SES; an empty text when it took it, else why not, without any address."""
    try:
        clients.client("sesv2").send_email(
            FromEmailAddress=formataddr((letter.name, sender)),
            Destination={"ToAddresses": [letter.to]},
            ReplyToAddresses=[letter.reply_to],
            Content={
                "Simple": {
                    "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": letter.text, "Charset": "UTF-8"}},
                    # A letter may come twice; this tells, and keeps holiday answers away.
                    "Headers": [
                        {"Name": "X-Forfait-Event-Id", "Value": letter.event_id},
                        {"Name": "Auto-Submitted", "Value": "auto-generated"},
                    ],
                }
            },
        )
    except ClientError as problem:
        return f"SES: {problem.response['Error']['Code']}"
    except BotoCoreError as problem:
        return f"SES: {type(problem).__name__}"
    return ""

"""The gateway for e-mails: Amazon SES."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws import clients


@dataclass(frozen=True)
class Letter:
    """An e-mail in plain text. ``name``: display name of the sender. ``reply_to``: address for answers."""

    to: str
    name: str
    reply_to: str
    subject: str
    text: str
    event_id: str


def send(letter: Letter, sender: str) -> str:
    """Hand a letter to SES. Blank if SES accepted it, else the error, without any address in it."""
    try:
        clients.client("sesv2").send_email(
            FromEmailAddress=formataddr((letter.name, sender)),
            Destination={"ToAddresses": [letter.to]},
            ReplyToAddresses=[letter.reply_to],
            Content={
                "Simple": {
                    "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": letter.text, "Charset": "UTF-8"}},
                    # The id shows that a letter came twice; the second header prevents out-of-office answers.
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

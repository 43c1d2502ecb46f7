"""Event functions of the tiny application, in a blueprint: they run without ``tinyapp`` being imported."""

import json
import os
import sys
import time
from urllib.parse import unquote_plus

import boto3
from chalice.app import Blueprint

events = Blueprint(__name__)


@events.on_sqs_message(queue=os.environ["FORFAIT_QUEUE"], batch_size=1)
def on_file(event):
    """Writes what it saw to ``seen/<name>``; the file's text can ask for trouble on the first delivery.

    ``sleep``: work until there is an object ``wake``.
    """
    s3 = boto3.client("s3")
    for message in event:
        records = json.loads(message.body).get("Records", [])
        tries = int(message.to_dict()["attributes"]["ApproximateReceiveCount"])
        for record in records:
            bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
            version = record["s3"]["object"]["versionId"]
            text = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read().decode()
            if text == "always raise" or (text == "raise" and tries == 1):
                raise ValueError("asked to")
            if text == "die" and tries == 1:
                os._exit(7)
            if text == "sleep":
                while "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="wake"):
                    time.sleep(0.1)
            seen = {"key": key, "tries": tries, "pid": os.getpid(), "app": "tinyapp" in sys.modules}
            sys.stdout.write("a function may print\n")
            s3.put_object(Bucket=bucket, Key=f"seen/{key.rpartition('/')[2]}", Body=json.dumps(seen))


@events.schedule("rate(1 day)")
def daily(event):
    if event.time.startswith("1999"):
        raise ValueError("too early")
    settings = {name: value for name, value in os.environ.items() if name.startswith("FORFAIT_")}
    return {"time": event.time, "pid": os.getpid(), "settings": settings}

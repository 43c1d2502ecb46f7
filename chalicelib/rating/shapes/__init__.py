"""Requests and answers of this room's routes, one module per noun; an answer is read from a record by attributes."""

from typing import Annotated

from pydantic import PlainSerializer

from chalicelib.aws import objects

DownloadUrl = Annotated[str, PlainSerializer(objects.download_url, return_type=str)]
"""The key of an object; answered as a URL that serves it for some minutes."""

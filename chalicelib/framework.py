"""What Forfait uses of Chalice: the only module that imports it, so that the way out of Chalice starts here."""

from chalice.app import Blueprint as Blueprint
from chalice.app import Chalice as Chalice
from chalice.app import CloudWatchEvent as CloudWatchEvent
from chalice.app import Response as Response
from chalice.app import SQSEvent as SQSEvent

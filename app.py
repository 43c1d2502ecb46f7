"""The composition root: one Chalice app, its middleware, and the rooms' routes and event functions.

Event functions live in blueprints and run in their own Lambda functions without this file.
"""

import json

from chalice.app import Chalice, Response

from chalicelib.accounts import handlers as accounts
from chalicelib.accounts.service import keys
from chalicelib.rating import events, preview_handlers
from chalicelib.rating import handlers as rating
from chalicelib.reports import events as hourly
from chalicelib.reports import handlers as reports
from chalicelib.web import openapi, problems, routes

app = Chalice(app_name="forfait", configure_logs=False)
app.api.binary_types = ["application/x-www-form-urlencoded", "multipart/form-data"]
app.register_middleware(problems.chalice_errors, "http")
for blueprint in (*accounts.BLUEPRINTS, rating.bp, preview_handlers.bp, reports.bp, events.bp, hourly.bp):
    app.register_blueprint(blueprint)
routes.install(keys.authenticate)


@app.route("/v1/openapi.json", methods=["GET"])
def openapi_document() -> Response:
    """The OpenAPI 3.1 document of every route."""
    return Response(json.dumps(openapi.document()), headers={"Content-Type": "application/json"})

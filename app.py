"""The composition root: one Chalice app, its middleware, and the rooms' routes and event functions.

Event functions live in blueprints and run in their own Lambda functions without this file.
"""

import gc

# Almost all objects that imports make stay: collecting garbage among them would take a tenth of a cold start.
gc.disable()

from chalicelib.accounts import handlers as accounts
from chalicelib.accounts.service import keys
from chalicelib.framework import Chalice
from chalicelib.notices import events as notice_events
from chalicelib.notices import handlers as notices
from chalicelib.payments import handlers as payments
from chalicelib.rating import events
from chalicelib.rating import handlers as rating
from chalicelib.reports import events as hourly
from chalicelib.reports import handlers as reports
from chalicelib.web import api_pages, problems, routes

app = Chalice(app_name="forfait", configure_logs=False)
app.api.binary_types = ["application/x-www-form-urlencoded", "multipart/form-data"]
app.register_middleware(problems.chalice_errors, "http")
for blueprint in (
    *accounts.BLUEPRINTS,
    *rating.BLUEPRINTS,
    *payments.BLUEPRINTS,
    reports.bp,
    notices.bp,
    events.bp,
    hourly.bp,
    notice_events.bp,
    api_pages.bp,
):
    app.register_blueprint(blueprint)
routes.install(keys.authenticate)
# What is here now is left out of later looks, too.
gc.freeze()
gc.enable()

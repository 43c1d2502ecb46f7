"""A Chalice application as small as the tests of the local stack allow: a few routes, a queue, a schedule."""

import os

from chalice.app import Chalice, Response
from tinyevents import events

app = Chalice(app_name="tiny", configure_logs=False)
app.api.binary_types = ["multipart/form-data"]
app.register_blueprint(events)


@app.route("/hello/{name}", methods=["GET", "DELETE"])
def hello(name):
    request = app.current_request
    if request.method == "DELETE":
        return Response(b"", status_code=204)
    query = {key: request.query_params.getlist(key) for key in request.query_params or {}}
    return {"name": name, "query": query, "stage": os.environ["FORFAIT_STAGE"]}


@app.route("/settings", methods=["GET"])
def settings():
    return {name: value for name, value in os.environ.items() if name.startswith("FORFAIT_")}


@app.route("/echo", methods=["POST"], content_types=["application/json", "text/plain", "multipart/form-data"])
def echo():
    body = repr(app.current_request.raw_body)
    return Response(body, headers={"Content-Type": "text/plain", "Set-Cookie": ["a=1", "b=2"]})


@app.route("/big", methods=["GET"])
def big():
    return Response("x" * (7 << 20), headers={"Content-Type": "text/plain"})

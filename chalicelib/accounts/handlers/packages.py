"""``/v1/packages``: what clients buy. Routes of custom rates and quotes are in ``rating``."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import packages
from chalicelib.accounts.shapes.packages import PackageIn, PackageOut, PackagePatch
from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/packages", roles=RESELLER, body=PackageIn, answer=PackageOut)
def create_package(call: Call) -> Any:
    """Make a package."""
    return packages.create(call.scope, call.who.reseller_id, call.body(PackageIn))


@list_route(bp, "/v1/packages", PackageOut, roles=STAFF)
def list_packages(call: Call) -> Any:
    """All packages, oldest first, with the prices in force."""
    return packages.listed(call.who.reseller_id, call.scope.now, page_request(call))


@route(bp, "GET", "/v1/packages/{package_id}", roles=STAFF, answer=PackageOut)
def get_package(call: Call) -> Any:
    """One package, with the prices in force and those to come."""
    return packages.at(packages.get(call.who.reseller_id, call.path["package_id"]), call.scope.now)


@route(bp, "PATCH", "/v1/packages/{package_id}", roles=RESELLER, body=PackagePatch, answer=PackageOut)
def patch_package(call: Call) -> Any:
    """Change a package; prices change from effective_from on (default now), the answer has those in force."""
    return packages.patch(call.scope, call.who.reseller_id, call.path["package_id"], call.body(PackagePatch))


@route(bp, "DELETE", "/v1/packages/{package_id}", roles=RESELLER)
def delete_package(call: Call) -> Any:
    """Delete a package that no client has."""
    packages.delete(call.scope, call.who.reseller_id, call.path["package_id"])

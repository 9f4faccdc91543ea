"""The entrance to `portal preview`: the address that the command prints."""

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.web.cookies import Cookie, set_cookie
from portal.web.resources import Administration


@view_config(context=Administration, name="preview", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def enter_preview(context: Administration, request: Request) -> Response:
    """`GET /-/preview`: gives this browser the key, if this process is a preview and the address contains it."""
    previewing, key = request.registry.previewing, request.GET.get("key", "")
    if previewing is None or not previewing.knows(key):
        raise HTTPNotFound
    response = HTTPSeeOther("/")
    set_cookie(request, response, Cookie.PREVIEW, key)
    return response

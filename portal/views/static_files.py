"""Serves the style sheet, the script, the icons and the logo of the portal in force, and the file for crawlers."""

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.web.resources import Root

# A crawler that may not open a page never sees that it must not list it, and lists the bare address.
ROBOTS = "# Every page says noindex, which crawlers have to be able to read.\nUser-agent: *\nDisallow:\n"
FOR_EVER = "public, max-age=31536000, immutable"  # the address contains the content's hash


def includeme(config: Configurator) -> None:
    """Adds a separate route for static files, which needs no resource tree and no session."""
    config.add_route("static", "/static/*path", request_method="GET")


@view_config(route_name="static", permission=NO_PERMISSION_REQUIRED)
def serve_asset(request: Request) -> Response:
    """`GET /static/PATH`: an asset, compressed if the browser accepts that."""
    asset = request.portal.assets.get("/".join(request.matchdict["path"]))
    if asset is None:
        raise HTTPNotFound
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding", "Content-Type": asset.content_type}
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return Response(body=asset.gzipped if zipped else asset.body, headerlist=list(headers.items()))


@view_config(context=Root, name="robots.txt", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_robots(root: Root, request: Request) -> Response:
    """`GET /robots.txt`: lets crawlers read the header that keeps every page out of search engines."""
    return Response(text=ROBOTS, content_type="text/plain")

"""Start-up: `main` makes the WSGI application. Called by `portal serve`, `pserve` (as `portal.main`) and tests."""

import copy
import datetime
import functools
import gc
import linecache
import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.exceptions import ConfigurationError
from pyramid.registry import Registry
from pyramid.router import Router

from portal.accounts.identity_provider import IdentityProvider
from portal.accounts.passwords import Passwords
from portal.database.engine import reach, reading
from portal.database.replica import Replica
from portal.jobs.pending_work import measure_pending_work
from portal.logs import set_up_logging
from portal.memory import tune_memory
from portal.packages import PAGES, extensions, leave_out, left_out, use
from portal.rendering.templates import load_templates
from portal.settings import ProcessSettings, read_settings
from portal.store.scanner import scan
from portal.store.store import open_store
from portal.web import connections, csrf
from portal.web.health_probe import Health, Probe, free_space
from portal.web.hosting import HostedPortals
from portal.web.live import LivePortal, StartupError
from portal.web.metrics import Metrics
from portal.web.preview_portal import PreviewedPortal, Previewing
from portal.web.request import PortalRequest
from portal.web.resources import Root
from portal.web.security import SEE, Security
from portal.web.serving import Serving

log = logging.getLogger(__name__)

# Shared by the portals of one process, since making one takes as long as checking a password.
_passwords = functools.cache(Passwords)

PYRAMID = {
    "tm.manager_hook": "pyramid_tm.explicit_manager",
    "tm.commit_veto": "pyramid_tm.default_commit_veto",  # a refused request writes nothing
    "tm.annotate_user": False,
    "tm.activate_hook": "portal.web.safe_methods.may_write",  # requests that only read use another kind of connection
    # Each attempt lets one of several simultaneous writers to a record succeed, so ten can. Other errors are retried
    # less often: views/errors.py.
    "retry.attempts": 10,
    "retry.activate_hook": "portal.web.protection.most_tries",
}


def main(global_config: Mapping[str, str] | None = None, **settings: Any) -> Router | HostedPortals:
    """The application; with PORTAL_HOSTED, that of several portals.

    Raises StartupError with the problems of the declarations or of the database.
    """
    ours = read_settings({name: value for name, value in settings.items() if isinstance(value, str)})
    if ours.log == "json":
        set_up_logging(ours.log)
    if ours.hosted is not None:
        return host_portals(ours)
    return make_server_application(ours, reload_templates=settings.get("pyramid.reload_templates") == "true")


def make_server_application(
    settings: ProcessSettings, reload_templates: bool = False, on_loopback: bool = False
) -> Router:
    """The application of a process that does nothing else. Raises StartupError and DatabaseUnreachableError."""
    application = make_application(settings, reload_templates, on_loopback)
    log.log(logging.INFO if settings.smtp else logging.WARNING, settings.email_notice)
    # Everything that exists now lives as long as the process. Collecting it takes 40 ms every few hundred pages, and
    # would write to memory that forked processes share.
    gc.collect()
    gc.freeze()
    tune_memory()
    return application


def host_portals(settings: ProcessSettings, on_loopback: bool = False) -> HostedPortals:
    """The application of several portals in one process. Raises StartupError if their folder does not exist."""
    if settings.hosted is None or not settings.hosted.is_dir():
        raise StartupError(f'there is no folder "{settings.hosted}"')
    log.log(logging.INFO if settings.smtp else logging.WARNING, settings.email_notice)

    def make(folder: Path) -> Router:
        return make_application(settings.for_portal(folder), on_loopback=on_loopback)

    tune_memory()
    return HostedPortals(settings.hosted.absolute(), make, settings.loaded_portals)


def make_application(
    settings: ProcessSettings,
    reload_templates: bool = False,
    on_loopback: bool = False,
    previewing: Previewing | None = None,
) -> Router:
    """The application for settings; `on_loopback`: see Serving. Raises StartupError and DatabaseUnreachableError.

    `previewing`: declarations that are shown instead of those in the folder, without being in force.
    """
    reads_replica = bool(settings.replica_url) and previewing is None
    # First, so that the rest uses the memory that compiling templates frees.
    load_templates(reload_templates, settings.compiled_templates)
    registry = copy.copy(configured(reload_templates, reads_replica))
    for sentence in left_out():
        log.error("%s", sentence)
    _fill_registry(registry, settings, on_loopback, previewing)
    registry.application = Configurator(registry=registry).make_wsgi_app()
    return registry.application


@functools.cache
def configured(reload_templates: bool = False, reads_replica: bool = False) -> Registry:
    """Views and tweens, found once per process. Each portal has a copy that shares them and has its own attributes:
    separate views would take 1.5 MB more per portal.

    Includes the pages of other packages, except unusable ones.
    """
    config = _own_pages(reload_templates, reads_replica)
    included = [entry for entry in extensions(PAGES) if _include(config, entry)]
    try:
        config.commit()
    except ConfigurationError as error:  # caused by two packages together, which claim the same address
        for entry in included:
            leave_out(entry, error)
        config = _own_pages(reload_templates, reads_replica)
        config.commit()
    linecache.clearcache()  # the scan has read the sources of all views, to record where each is
    return config.registry


def _own_pages(reload_templates: bool, reads_replica: bool) -> Configurator:
    settings = {**PYRAMID, "reload_templates": reload_templates}
    config = Configurator(settings=settings, root_factory=Root, request_factory=PortalRequest)
    config.include("portal.rendering.templates")
    config.include("portal.rendering.pdf")
    config.include("pyramid_tm")
    config.add_request_method(None, "tm")  # PortalRequest has it
    config.include("pyramid_retry")
    _add_security(config)
    config.include("portal.web.tracing")
    config.include("portal.web.protection")
    config.include("portal.web.api")
    config.include("portal.web.package_menu")
    config.include("portal.views.static_files")
    config.include("portal.views.errors")
    config.scan("portal.web")
    config.scan("portal.views")
    if reads_replica:
        config.add_subscriber(connections.remember_position, NewResponse)
    return config


def _include(config: Configurator, entry: EntryPoint) -> bool:
    """Whether the pages of a package could be included at start-up. If they claim one of our addresses, ours wins:
    Pyramid prefers what is configured at a higher level."""
    before = len(config.action_state.actions)
    if use(entry, config.include):
        return True
    del config.action_state.actions[before:]
    return False


def _fill_registry(
    registry: Registry, settings: ProcessSettings, on_loopback: bool, previewing: Previewing | None
) -> None:
    """Adds what lives as long as the application: clock, database, portal in force."""
    settings.make_database_folder()
    engine = reach(settings.database_url)
    replica = Replica(engine, settings.replica_url) if settings.replica_url and previewing is None else None
    registry.clock = lambda: datetime.datetime.now(datetime.UTC)
    registry.serving = Serving(
        settings.largest_request,
        on_loopback,
        logs_requests=settings.log == "json",
        slow_page=settings.slow_page,
        monitor_token=settings.monitor_token,
        sends_email=settings.smtp is not None,
    )
    registry.metrics = Metrics()
    registry.passwords = _passwords(settings.password_memory, settings.password_rounds)
    registry.scan = functools.partial(scan, settings.scanner) if settings.scanner else None
    registry.identity_provider = _identity_provider(settings)
    registry.store = functools.cache(lambda: open_store(*settings.store_address))
    registry.previewing = previewing
    make_live = LivePortal if previewing is None else PreviewedPortal
    registry.live = make_live(
        settings.folder if previewing is None else previewing.folder,
        engine,
        lambda: registry.clock(),  # tests set it
        settings.development,
        settings.declared,
        settings.reload_every,
        replica=replica,
        icons=tuple(entry.icon for entry in registry.package_menu),
    )
    if notice := settings.sign_in_notice(registry.live.current().declaration.settings.sign_in):
        log.warning(notice)
    registry.probe = Probe(functools.partial(_health, registry, settings.data_folders))
    registry.probe.health(timeout=1)


def _identity_provider(settings: ProcessSettings) -> IdentityProvider | None:
    if settings.oidc_issuer is None:
        return None
    label = settings.oidc_label or urlsplit(settings.oidc_issuer).hostname or ""
    return IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, label)


def _health(registry: Registry, folders: list[Path]) -> Health:
    portal = registry.live.current()
    with reading(portal.engine) as connection:
        pending_work = measure_pending_work(connection, portal.tables, registry.clock())
    return Health(pending_work, free_space(*folders), registry.serving.sends_email, registry.live.report.accepted)


def _add_security(config: Configurator) -> None:
    """Makes views closed unless they say otherwise, and CSRF tokens required in all forms, at start-up."""
    config.set_security_policy(Security())
    config.set_default_permission(SEE)
    config.set_csrf_storage_policy(csrf.CsrfTokens())
    # web/protection.py checks origins, for http too.
    config.set_default_csrf_options(require_csrf=True, token=csrf.INPUT, header=csrf.HEADER, check_origin=False)

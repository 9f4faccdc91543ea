#!/bin/sh
# Runs the portal with granian, behind an HTTPS proxy:
#
#     pip install granian
#     PORTAL_DATABASE=postgresql://… PORTAL_BASE_URL=https://care.example deploy/granian.sh
#
# Processes keep no state between requests: any number of them may share one PostgreSQL. When a worker ends twice within
# seconds, granian ends all of them: start this script by something that starts it again, as portal-web.service does.
exec granian --interface wsgi --factory portal.application:main \
  --host "${PORTAL_HOST:-127.0.0.1}" --port "${PORTAL_PORT:-6543}" \
  --workers "${PORTAL_WORKERS:-2}" --blocking-threads "${PORTAL_THREADS:-4}" \
  --backlog 1024 --respawn-failed-workers --no-access-log

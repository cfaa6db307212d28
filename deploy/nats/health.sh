#!/bin/sh
# The health of nats-server, which ends a server that has given up storing, so that whatever runs it starts it again.
#
#   health.sh [MONITORING-PORT [STORE [PIDFILE]]]
#
# After the first write error, such as a full disk, nats-server refuses to store until it is restarted, however much room
# there is by then. It says so at /healthz. A server that still recovers its streams is unhealthy too and is left alone, and
# so is one whose disk is still full, since a restart would not help. Exits with 0 when healthy and 1 otherwise.
set -eu
port=${1:-8222} store=${2:-/data} pidfile=${3:-}

ask() {
  if command -v curl >/dev/null; then
    curl -s -m 3 "http://127.0.0.1:$port/healthz"
  else
    # BusyBox's wget, which containers have, does not show the body of a 503.
    printf 'GET /healthz HTTP/1.0\r\n\r\n' | nc -w 3 127.0.0.1 "$port"
  fi
}
answer=$(ask) || answer=
case $answer in
  *'"status":"ok"'*) exit 0 ;;
  *'write error'* | *'no space left'*) ;;
  *) echo "unhealthy: ${answer:-no answer}"; exit 1 ;;
esac
free=$(df -Pk "$store" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt 65536 ]; then
  echo "the disk of $store is full: make room"
  exit 1
fi
echo "nats-server stores nothing after a write error, and there is room: ending it for a restart"
kill -TERM "$(if [ -n "$pidfile" ]; then cat "$pidfile"; else echo 1; fi)"
exit 1

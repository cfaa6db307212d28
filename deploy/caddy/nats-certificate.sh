#!/bin/sh
# Gives nats-server the certificate that Caddy keeps for it, and has it read that anew when it has changed.
#
#   nats-certificate.sh STORE NAME TARGET [PIDFILE]
#
# STORE is Caddy's storage: /var/lib/caddy/.local/share/caddy for Debian's package, /data/caddy in its container. NAME is
# KEZ_NATS_DOMAIN. TARGET is the folder of cert.pem and key.pem, which belong to whoever owns the folder. Run it as root,
# daily: Caddy renews thirty days before the end.
set -eu
store=$1 name=$2 target=$3 pidfile=${4:-}

# A folder for each authority: the newest one counts.
# shellcheck disable=SC2012 # Caddy's names have no blanks.
cert=$(ls -t "$store"/certificates/*/"$name/$name.crt" 2>/dev/null | head -n 1)
[ -n "$cert" ] || { echo "Caddy has no certificate of $name yet in $store" >&2; exit 1; }
key=${cert%.crt}.key
! cmp -s "$cert" "$target/cert.pem" || exit 0

# The key first: nats-server reads both at the signal only.
umask 077
cp "$key" "$target/key.pem.new"
cp "$cert" "$target/cert.pem.new"
chown "$(stat -c %u:%g "$target")" "$target/key.pem.new" "$target/cert.pem.new"
mv "$target/key.pem.new" "$target/key.pem"
mv "$target/cert.pem.new" "$target/cert.pem"
if [ -n "$pidfile" ] && [ -s "$pidfile" ]; then kill -HUP "$(cat "$pidfile")"; fi
echo "the certificate of $name is new"

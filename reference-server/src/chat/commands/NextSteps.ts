/** What an operator does after `init`, as numbered commands with the paths that it was given. */
import { existsSync } from "node:fs"
import { itemsOf } from "../../process/Flags.ts"

export interface NextStep {
  readonly what: string
  readonly commands: ReadonlyArray<string>
}

export interface Made {
  readonly keysDir: string
  /** nats.conf, or accounts.conf for a nats-server of the operator's own. */
  readonly natsConf: string
  readonly isOwnNats: boolean
  /** Undefined where a variable with a URL names it. */
  readonly db: string | undefined
  readonly sigDb: string | undefined
  /** Flags of init whose values the servers need too. */
  readonly natsPort: number
  readonly hasTls: boolean
  readonly replicas: number
  readonly streamPartitions: number
  readonly storeBytes: number
  readonly allowedOrigins: string
}

/** For a shell: quoted where it has to be. */
const q = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Where `install.sh` puts the units. */
const unit = "/etc/systemd/system/kez-chat-server.service"

const natsServer = (made: Made, isInstalled: boolean): NextStep =>
  made.isOwnNats
    ? {
        what: "Include both files in your nats-server.conf (deploy/docs/own-nats.md), check it, and restart nats-server",
        commands: ["nats-server -c nats-server.conf -t"]
      }
    : {
        what: "Start nats-server with this configuration; restart it if it runs",
        commands: isInstalled
          ? ["sudo systemctl enable kez-nats-server kez-nats-health.timer", "sudo systemctl restart kez-nats-server"]
          : [`nats-server -c ${q(made.natsConf)}`]
      }

/** The steps, in order. `isInstalled`: as services of this machine, with settings in /etc/kez-chat. */
export const nextSteps = (made: Made, isInstalled = existsSync(unit)): ReadonlyArray<NextStep> => {
  const origin = itemsOf(made.allowedOrigins).find((each) => each.startsWith("https://"))
  const name = origin === undefined ? "localhost" : new URL(origin).hostname
  const site = origin === undefined ? undefined : new URL(origin).host
  const database = (flag: string, db: string | undefined) => (db === undefined ? [] : [flag, q(db)])
  const registry = ["--server-name", name, ...database("--db", made.db)]
  const sigDb = database("--sig-db", made.sigDb)
  const keys = ["--keys-dir", q(made.keysDir)]
  const store = [
    ...(made.storeBytes === 4 * 1024 ** 3 ? [] : ["--store-bytes", String(made.storeBytes)]),
    ...(made.replicas === 1 ? [] : ["--replicas", String(made.replicas)]),
    ...(made.streamPartitions === 1 ? [] : ["--stream-partitions", String(made.streamPartitions)])
  ]
  const natsUrl = [
    "--nats-url",
    `${made.hasTls ? "tls" : "nats"}://${made.hasTls ? name : "127.0.0.1"}:${made.natsPort}`
  ]
  const proxies = site === undefined ? [] : ["--trusted-proxies", "127.0.0.1,::1"]
  const published =
    site === undefined
      ? []
      : [
          ...["--public-nats-url", "none", "--public-ws-url", `wss://${site}/nats`],
          ...["--public-sig-server-url", `https://${site}`, ...proxies]
        ]
  const settings = [...registry, ...keys, ...natsUrl, ...published, ...store].join(" ")
  const conf = made.isOwnNats ? [] : ["--nats-conf", q(made.natsConf)]
  const stamp = "kez-$(date +%F).tar.gz"
  return [
    natsServer(made, isInstalled),
    {
      what: "Start the sig-server",
      commands: isInstalled
        ? ["sudo systemctl enable --now kez-sig-server"]
        : [["kez-chat-sig-server", ...database("--db", made.sigDb), ...proxies].join(" ")]
    },
    {
      what: `Start chat-server${isInstalled ? ", whose settings are in /etc/kez-chat/chat-server.env" : ""}`,
      commands: isInstalled ? ["sudo systemctl enable --now kez-chat-server"] : [`kez-chat-server ${settings}`]
    },
    ...(site === undefined
      ? []
      : [
          {
            what: "Put TLS in front: Caddy obtains the certificates (deploy/caddy/Caddyfile of the repository)",
            commands: [`KEZ_DOMAIN=${site} caddy run --adapter caddyfile --config deploy/caddy/Caddyfile`]
          }
        ]),
    {
      what: "Check everything; then again from another machine",
      commands: [
        isInstalled
          ? "sudo -u kez-chat kez-chat-server doctor"
          : `kez-chat-server doctor ${settings} ${conf.join(" ")}`,
        ...(site === undefined ? [] : [`kez-chat-server doctor --url https://${site}`])
      ]
    },
    {
      what: "Make the first backup, and keep it elsewhere: it holds the keys",
      commands: [
        isInstalled
          ? `sudo kez-chat-server backup /root/${stamp}`
          : `kez-chat-server backup ${stamp} ${[...registry, ...keys, ...natsUrl, ...conf, ...sigDb].join(" ")}`
      ]
    },
    {
      what: "Let people in: everybody can register unless chat-server has --registration invite; an invite is made by",
      commands: [
        isInstalled
          ? "sudo -u kez-chat kez-chat-server admin invite create --uses 5 --expires 7d"
          : `kez-chat-server admin invite create ${registry.join(" ")} --uses 5 --expires 7d`
      ]
    }
  ]
}

/** For a terminal. */
export const listed = (steps: ReadonlyArray<NextStep>): string =>
  steps
    .flatMap(({ commands, what }, i) => [`${i + 1}. ${what}:`, ...commands.map((command) => `     ${command}`)])
    .join("\n")

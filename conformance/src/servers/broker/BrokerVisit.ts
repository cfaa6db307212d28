/** A run against the broker of a home server: its ports, and the throw-away accounts that are logged in. */
import { NotChecked, Violation } from "../Outcome.ts"
import type { Account, HomeVisit } from "../home/HomeVisit.ts"
import type { Signing } from "../Signing.ts"
import { TargetUnusable } from "../Target.ts"
import { Connection } from "./Connection.ts"
import { isOk, sealed, User } from "./User.ts"

export interface BrokerOptions {
  /** Of NATS over TCP and over WebSocket; without any, those that the home server names. */
  readonly urls: ReadonlyArray<string>
  /** For one answer. */
  readonly timeoutMillis: number
  /** Ends the home server's processes without warning and starts them again. */
  readonly restart?: () => Promise<void>
}

export class BrokerVisit {
  readonly home: HomeVisit
  /** At most one over TCP and one over WebSocket. */
  readonly urls: ReadonlyArray<string>
  /** Limits that the home server publishes. */
  readonly limits: Readonly<Record<string, number>>
  /** `acceptance_keys` of the description, whatever is there. */
  readonly acceptanceKeys: unknown
  readonly timeoutMillis: number
  readonly restart: (() => Promise<void>) | undefined
  /** Every answer to a send. */
  readonly answers: Array<string> = []
  readonly #connections: Array<Connection> = []
  readonly #named = new Map<string, User>()

  private constructor(
    home: HomeVisit,
    urls: ReadonlyArray<string>,
    { acceptanceKeys, limits }: Pick<BrokerVisit, "limits" | "acceptanceKeys">,
    options: BrokerOptions
  ) {
    this.acceptanceKeys = acceptanceKeys
    this.home = home
    this.urls = urls
    this.limits = limits
    this.timeoutMillis = options.timeoutMillis
    this.restart = options.restart
  }

  /** Fails with `TargetUnusable` if a port does not answer. */
  static async begin(home: HomeVisit, options: BrokerOptions): Promise<BrokerVisit> {
    const { text } = await home.target.get("/.well-known/kez-chat")
    const { acceptance_keys, broker, limits } = JSON.parse(text) as {
      readonly acceptance_keys?: unknown
      readonly broker?: { readonly tcp?: ReadonlyArray<string>; readonly websocket?: ReadonlyArray<string> }
      readonly limits?: Readonly<Record<string, number>>
    }
    const named = [broker?.tcp?.[0], broker?.websocket?.[0]].filter((url) => url !== undefined)
    const urls = options.urls.length > 0 ? options.urls : named
    if (urls.length === 0) throw new TargetUnusable("the home server names no broker; --nats says where it is")
    const visit = new BrokerVisit(home, urls, { limits: limits ?? {}, acceptanceKeys: acceptance_keys }, options)
    for (const url of urls) {
      try {
        await visit.open(url)
      } catch (error) {
        visit.end()
        throw new TargetUnusable(
          `the broker ${url} cannot be reached (${(error as Error).message}); ` +
            '--nats says where it is, and --only "server/*" leaves it out'
        )
      }
    }
    return visit
  }

  get signing(): Signing {
    return this.home.signing
  }

  /** The URL that checks use where the port does not matter. */
  get url(): string {
    return this.urls[0]!
  }

  /** A connection that has sent nothing yet. */
  async open(url: string = this.url, origin?: string): Promise<Connection> {
    const connection = await Connection.open(url, this.timeoutMillis, origin)
    this.#connections.push(connection)
    return connection
  }

  /** Logs an account in, and subscribes to its live delivery. */
  async login(account: Account, url: string = this.url): Promise<User> {
    const client = await this.open(url)
    await client.login(account.signer)
    const user = new User(account, client, this.answers)
    await client.subscribe(`kez.dlv.${user.hex}`)
    return user
  }

  async newUser(url?: string): Promise<User> {
    return this.login(await this.home.newAccount(), url)
  }

  /** The account of this name of the run, which checks share and leave as it is, logged in. */
  async user(name: string): Promise<User> {
    const known = this.#named.get(name)
    if (known !== undefined && !known.client.isClosed) return known
    const user = known === undefined ? await this.newUser() : await this.login(known.account)
    this.#named.set(name, user)
    return user
  }

  /** Two accounts that have written to each other, so that neither is a stranger to the other. */
  async friends(): Promise<readonly [User, User]> {
    const isKnown = this.#named.has("alice") && this.#named.has("bob")
    const [alice, bob] = [await this.user("alice"), await this.user("bob")]
    if (!isKnown) for (const [from, to] of [[alice, bob] as const, [bob, alice] as const]) await from.sendOk(to.hex)
    return [alice, bob]
  }

  /** Makes two accounts known to each other. */
  async befriend(one: User, other: User): Promise<void> {
    isOk(await one.send(other.hex, sealed(50)), "the first frame to an account")
    isOk(await other.send(one.hex, sealed(50)), "the first frame back")
  }

  /** A published limit of bytes, where it is little enough to be used up. */
  smallLimit(name: string, mostBytes: number): number {
    const limit = this.limits[name]
    if (limit === undefined) throw new NotChecked("not-applicable", `the server publishes no limit ${name}`)
    if (limit <= mostBytes) return limit
    throw new NotChecked(
      "not-applicable",
      `${name} is ${limit} bytes, too much to use up in a check; run it at a server with at most ${mostBytes}`
    )
  }

  /** Runs a check once for each port. */
  async onEveryPort(run: (url: string) => Promise<void>): Promise<void> {
    for (const url of this.urls) await run(url)
  }

  /** Closes what is open. */
  end(): void {
    for (const connection of this.#connections) connection.close()
  }
}

/** `tcp` or `websocket`. */
export const kindOf = (url: string): "tcp" | "websocket" => (/^wss?:/.test(url) ? "websocket" : "tcp")

export const demand = (condition: boolean, message: string, actual?: unknown): void => {
  if (!condition) throw new Violation(message, undefined, actual)
}

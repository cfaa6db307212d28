/** The owner's side of the socket: answers other commands of this user with the account it holds. */
import type { KezChatError } from "@kez-chat/sdk"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { timingSafeEqual } from "node:crypto"
import { chmodSync } from "node:fs"
import * as net from "node:net"
import { type CliFailure, fail } from "../Failure.ts"
import { calls, lasting, type Owned, streams } from "./Methods.ts"
import * as Wire from "./Wire.ts"

/** The owner's description of itself. */
export interface OwnerInfo {
  readonly version: string
  readonly pid: number
  /** The command that became the owner: `listen`, `chat`, `unlock`. */
  readonly command: string
  /** Milliseconds since the epoch. */
  readonly since: number
  /** When it ends on its own, milliseconds since the epoch. */
  readonly until?: number
  /** The relay policy in force, in the syntax of `--relay`. */
  readonly relay: string
}

export interface ServerOptions extends Owned {
  /** Path of the socket, or name of the pipe. */
  readonly address: string
  /** The token that a connection must send first. */
  readonly token: string
  readonly info: OwnerInfo
  /** Run when another command asks the owner to end, or has deleted the account. */
  readonly stop: Effect.Effect<void>
}

/** Most open connections; one command uses one. */
const maxConnections = 64
/** How long an owner that ends waits for pending answers to be computed and read, in milliseconds. */
const drainMillis = 2_000
/** Most concurrent requests of one connection. */
const maxRequests = 64

const sameToken = (given: unknown, token: string): boolean => {
  const [a, b] = [Buffer.from(typeof given === "string" ? given : ""), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}

class Connection {
  readonly #socket: net.Socket
  readonly #options: ServerOptions
  readonly #running = new Map<number, Fiber.Fiber<void, KezChatError>>()
  readonly #lines = new Wire.LineSplitter(Wire.maxRequestBytes)
  readonly #deadline: NodeJS.Timeout
  /** Running requests whose answer an ending owner waits for. */
  readonly #short = new Set<number>()
  #idle: () => void = () => {}
  #greeted = false

  constructor(socket: net.Socket, options: ServerOptions) {
    this.#socket = socket
    this.#options = options
    this.#deadline = setTimeout(() => socket.destroy(), Wire.helloMillis)
    socket.on("data", (chunk: Buffer) => this.#read(chunk))
    socket.on("error", () => socket.destroy())
    socket.on("close", () => this.#end())
  }

  #end(): void {
    clearTimeout(this.#deadline)
    for (const fiber of this.#running.values()) fiber.interruptUnsafe()
    this.#running.clear()
    this.#short.clear()
    this.#idle()
  }

  /** Resolves once no such request is running. */
  get idle(): Promise<void> {
    return new Promise((done) => {
      if (this.#short.size === 0) done()
      else this.#idle = done
    })
  }

  #read(chunk: Buffer): void {
    const lines = this.#lines.push(chunk)
    // No command of ours sends an endless line.
    if (lines === undefined) return void this.#socket.destroy()
    for (const line of lines) {
      const request = Wire.parseRequest(line)
      if (request === undefined || !this.#take(request)) return void this.#socket.destroy()
    }
  }

  /** False for what no command of ours sends. */
  #take(request: Wire.Request): boolean {
    const { id } = request
    if ("cancel" in request) {
      this.#running.get(id)?.interruptUnsafe()
      return this.#greeted
    }
    const { method, params } = request
    if (!this.#greeted) {
      if (method !== "hello" || !sameToken(params[0], this.#options.token)) return false
      this.#greeted = true
      clearTimeout(this.#deadline)
      this.#reply({ id, ok: this.#options.info })
      return true
    }
    if (this.#running.has(id) || this.#running.size >= maxRequests) return false
    const work = Option.getOrUndefined(this.#work(method, params, id))
    if (work === undefined) return false
    if (!lasting.has(method)) this.#short.add(id)
    this.#start(id, work)
    return true
  }

  #work(method: string, params: ReadonlyArray<unknown>, id: number): Option.Option<Effect.Effect<void, KezChatError>> {
    const { stop } = this.#options
    if (method === "shutdown") return Option.some(Effect.andThen(this.#send({ id, ok: null }), stop))
    if (Object.hasOwn(calls, method)) {
      return Option.map(calls[method]!(this.#options, params), (call) => {
        const answered = Effect.flatMap(call, (value) => this.#send({ id, ok: value ?? null }))
        return method === "deleteAccount" ? Effect.andThen(answered, stop) : answered
      })
    }
    if (!Object.hasOwn(streams, method)) return Option.none()
    return Option.map(streams[method]!(this.#options, params), (items) =>
      Effect.andThen(
        Stream.runForEach(items, (item) => this.#send({ id, item })),
        this.#send({ id, end: true })
      )
    )
  }

  #start(id: number, work: Effect.Effect<void, KezChatError>): void {
    const fiber = Effect.runFork(work)
    this.#running.set(id, fiber)
    fiber.addObserver((exit) => {
      this.#running.delete(id)
      this.#answered(id, exit)
      if (this.#short.delete(id) && this.#short.size === 0) this.#idle()
    })
  }

  #answered(id: number, exit: Exit.Exit<void, KezChatError>): void {
    if (Exit.isSuccess(exit)) return
    const failure = exit.cause.reasons.find(Cause.isFailReason)
    if (failure !== undefined) this.#reply({ id, error: Wire.encodeError(failure.error) })
    else if (Cause.hasDies(exit.cause)) this.#reply({ id, error: { tag: "Defect" } })
  }

  #reply(reply: Wire.Reply): boolean {
    return this.#socket.writable && this.#socket.write(Wire.encode(reply))
  }

  /** Waits until a slow reader has caught up, so that no stream is buffered without bound. */
  #send(reply: Wire.Reply): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.#reply(reply) || !this.#socket.writable) return resume(Effect.void)
      const go = () => {
        this.#socket.off("drain", go)
        this.#socket.off("close", go)
        resume(Effect.void)
      }
      this.#socket.on("drain", go)
      this.#socket.on("close", go)
      return undefined
    })
  }

  /** Hangs up once everything written has gone out. */
  close(): void {
    this.#socket.destroySoon()
  }

  /** Hangs up at once. */
  abort(): void {
    this.#socket.destroy()
  }
}

/** Listens until the scope closes. The address must be free: the caller holds the profile's lock. */
export const serve = (options: ServerOptions): Effect.Effect<void, CliFailure, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.callback<() => Promise<void>, CliFailure>((resume) => {
        const connections = new Set<Connection>()
        const server = net.createServer((socket) => {
          if (connections.size >= maxConnections) return void socket.destroy()
          const connection = new Connection(socket, options)
          connections.add(connection)
          socket.on("close", () => connections.delete(connection))
        })
        server.once("error", (error) => {
          resume(Effect.fail(fail("owner_socket", "failed", `cannot listen on ${options.address}: ${error.message}`)))
        })
        server.listen(options.address, () => {
          // The folder is private already; a pipe on Windows has no mode.
          if (process.platform !== "win32") chmodSync(options.address, 0o600)
          resume(
            Effect.succeed(
              () =>
                new Promise<void>((closed) => {
                  server.close(() => closed())
                  // A reader that does not read would hold this process up forever.
                  const late = setTimeout(() => {
                    for (const connection of connections) connection.abort()
                  }, drainMillis)
                  server.on("close", () => clearTimeout(late))
                  for (const connection of connections) void connection.idle.then(() => connection.close())
                })
            )
          )
        })
      }),
      (close) => Effect.promise(close)
    )
  )

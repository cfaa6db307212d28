/** One direction of an in-memory stream: a bounded buffer between a writer and a reader. */
import * as Effect from "effect/Effect"
import type { StreamFailure } from "../blobs-core/Network.ts"

/** Buffered bytes at which a writer waits. */
const roomBytes = 256 * 1024

export class Pipe {
  private readonly parts: Array<Uint8Array> = []
  private held = 0
  private ended = false
  private failure: StreamFailure | undefined
  private readonly waiting = new Set<() => void>()

  /** Waits until `attempt` returns a value or the stream has failed. */
  private until<A>(attempt: () => A | undefined): Effect.Effect<A, StreamFailure> {
    return Effect.callback<A, StreamFailure>((resume) => {
      const look = (): void => {
        const answer = this.failure === undefined ? attempt() : undefined
        if (answer === undefined && this.failure === undefined) return
        this.waiting.delete(look)
        resume(this.failure === undefined ? Effect.succeed(answer as A) : Effect.fail(this.failure))
      }
      this.waiting.add(look)
      look()
      return Effect.sync(() => this.waiting.delete(look))
    })
  }

  private changed(): void {
    for (const look of [...this.waiting]) if (this.waiting.has(look)) look()
  }

  /** The next bytes, at most `limit`; empty at the end. */
  read(limit: number): Effect.Effect<Uint8Array, StreamFailure> {
    return Effect.tap(
      this.until(() => {
        const first = this.parts[0]
        if (first === undefined) return this.ended ? new Uint8Array(0) : undefined
        const taken = first.subarray(0, limit)
        if (taken.length === first.length) this.parts.shift()
        else this.parts[0] = first.subarray(limit)
        this.held -= taken.length
        return taken
      }),
      () => Effect.sync(() => this.changed())
    )
  }

  /** Waits for room; the bytes are copied. */
  write(bytes: Uint8Array): Effect.Effect<void, StreamFailure> {
    return Effect.asVoid(
      Effect.tap(
        this.until(() => {
          if (this.held >= roomBytes) return undefined
          if (bytes.length > 0) this.parts.push(bytes.slice())
          this.held += bytes.length
          return true
        }),
        () => Effect.sync(() => this.changed())
      )
    )
  }

  readonly end: Effect.Effect<void, StreamFailure> = Effect.suspend(() => {
    if (this.failure !== undefined) return Effect.fail(this.failure)
    this.ended = true
    this.changed()
    return Effect.void
  })

  /** Waits until the reader has read everything up to the end. */
  readonly arrived: Effect.Effect<void, StreamFailure> = Effect.asVoid(
    this.until(() => (this.ended && this.held === 0 ? true : undefined))
  )

  get ready(): boolean {
    return this.failure === undefined && this.parts.length > 0
  }

  /** Whether the stream is finished or failed. */
  get over(): boolean {
    return this.failure !== undefined || (this.ended && this.held === 0)
  }

  /** Makes both ends fail and discards buffered bytes, unless the stream was read to its end. */
  fail(failure: StreamFailure): void {
    if (this.over) return
    this.failure = failure
    this.changed()
  }
}

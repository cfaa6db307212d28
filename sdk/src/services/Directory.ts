/** A home server's registry of handles, seen by a client. Answers are unverified: the client checks every record. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Envelope } from "../protocol/sigchain/Envelope.ts"
import type { Problem } from "../protocol/Problem.ts"
import type { HandleRecord, WellKnown } from "../protocol/registration/Registration.ts"
import type { Request } from "../protocol/registration/Transfer.ts"
import { LocalCause } from "./LocalCause.ts"

/** The server could not be reached. Safe to retry; `retryAfterMillis` is the server's own hint, if any. */
export class ServerUnreachable extends Schema.TaggedError<ServerUnreachable>()("ServerUnreachable", {
  url: Schema.String,
  detail: Schema.String,
  retryAfterMillis: Schema.optionalKey(Schema.Finite),
  cause: LocalCause
}) {
  override get message(): string {
    return `${this.url} cannot be used: ${this.detail}`
  }
}

/** Errors of the server are {@link Problem}s with the server's code; no answer is {@link ServerUnreachable}. */
export type DirectoryError = Problem | ServerUnreachable

export class Directory extends Context.Service<
  Directory,
  {
    /** `GET /.well-known/kez-chat`: name, broker and sig-server URLs, who may register, limits. */
    readonly wellKnown: Effect.Effect<WellKnown, DirectoryError>
    /** `POST /v1/register` with a `handle_registration` envelope, and the invite that a home may ask for. Idempotent. */
    register(registration: Envelope, invite?: string): Effect.Effect<HandleRecord, DirectoryError>
    /** `GET /v1/u/:handle`; `local` is the part before the `@`. `handle_reserved`: nobody holds it, nobody can register it. */
    lookup(local: string): Effect.Effect<HandleRecord, DirectoryError>
    /** `GET /v1/by-primary/:primary`. */
    byPrimary(primary: string): Effect.Effect<HandleRecord, DirectoryError>
    /** `POST /v1/delete` with a `handle_deletion` envelope. */
    delete(deletion: Envelope): Effect.Effect<void, DirectoryError>
    /** `POST /v1/transfer`: hands a handle over to another key, whose record is returned. Idempotent. */
    transfer(request: Request): Effect.Effect<HandleRecord, DirectoryError>
    /** `POST /v1/report` with a `report` envelope; the report's id. Idempotent. */
    report(report: Envelope): Effect.Effect<{ readonly id: string }, DirectoryError>
    /** The server's clock minus this one's, in milliseconds, from the `Date` header of `GET /v1/healthz`. */
    readonly clockSkewMillis: Effect.Effect<number, DirectoryError>
  }
>()("@kez-chat/sdk/Directory") {}

/** The calls of a client about strangers: held requests and introductions. */
import * as Effect from "effect/Effect"
import type { Crypto } from "../services/Crypto.ts"
import type { Lifecycle } from "./account/index.ts"
import { ContactRefresh } from "./contacts/index.ts"
import { updateSettings } from "./internal/Settings.ts"
import { Admissions, HeldMail, InboxPolicy, Introductions } from "./messaging/index.ts"
import { Proofs } from "./proofs/index.ts"
import type { HeldRequest, Introduction, KezChatError, Message, Settings } from "./model/index.ts"

export interface RequestCalls {
  /**
   * The strangers whose mail the inbox policy holds back, with the reason. `accept` lets one in, `block` and
   * `removeContact` end it. Of one stranger at most 20 messages are held, of at most 100 strangers, for 30 days after the
   * last message.
   */
  readonly held: Effect.Effect<ReadonlyArray<HeldRequest>, KezChatError>
  /**
   * Introduces the contact `who` to the contact `to`: for 7 days the policy of `to` may let them in. Both must be
   * accepted; at most five introductions to one contact are open. Fails with `IntroductionRefused`.
   */
  introduce(to: string, who: string): Effect.Effect<Message, KezChatError>
  /** Takes an open introduction back. Who was let in by it stays. Fails with `IntroductionRefused`. */
  withdrawIntroduction(to: string, who: string): Effect.Effect<Message, KezChatError>
  /** The introductions that are open: those that this account gave and those that it received. */
  readonly introductions: Effect.Effect<ReadonlyArray<Introduction>, KezChatError>
}

/** The calls, and what other calls do to strangers whose mail is held. */
export const requestCalls = Effect.fnUntraced(function* ({
  published,
  start
}: Pick<Lifecycle["Service"], "published" | "start">) {
  const crypto = yield* Effect.context<Crypto>()
  const admissions = yield* Admissions
  const held = yield* HeldMail
  const introductions = yield* Introductions
  const proofs = yield* Proofs
  const refresh = yield* ContactRefresh
  const run = <A, E>(effect: Effect.Effect<A, E, Crypto>) => Effect.provideContext(effect, crypto)
  const calls: RequestCalls = {
    held: held.list,
    introduce: (to, who) => run(Effect.flatMap(published, (session) => introductions.introduce(session, to, who))),
    withdrawIntroduction: (to, who) =>
      run(Effect.flatMap(published, (session) => introductions.withdraw(session, to, who))),
    introductions: introductions.list
  }
  return {
    calls,
    /** Lets a stranger in, if mail of them is held; returns the name by which the contact is found. */
    letIn: Effect.fnUntraced(function* (who: string) {
      // The key is read only where it is needed.
      const primary = yield* admissions.find(who)
      if (primary === undefined) return who
      yield* admissions.letIn(yield* start(), primary)
      // Until then the contact is known by its key only.
      yield* refresh.awaitPending(primary)
      return primary
    }),
    /** Blocks a stranger, if mail of them is held, which is dropped; returns the name by which the contact is found. */
    block: Effect.fnUntraced(function* (who: string) {
      const primary = yield* admissions.find(who)
      if (primary === undefined) return who
      yield* admissions.block(primary)
      yield* refresh.awaitPending(primary)
      return primary
    }),
    /** Drops held mail, and removes the contact, if there is one. */
    remove: Effect.fnUntraced(function* (who: string, contact: Effect.Effect<void, KezChatError>) {
      const dropped = yield* admissions.discard(who)
      yield* dropped ? Effect.catchTag(contact, "ContactUnknown", () => Effect.void) : contact
    }),
    /** Changes settings; a new policy is applied to what is held. */
    updateSettings: Effect.fnUntraced(function* (change: Partial<Settings>) {
      const provenBy =
        change.provenBy === undefined
          ? {}
          : { provenBy: yield* Effect.fromResult(InboxPolicy.normalised(change.provenBy, proofs.isSystem)) }
      const settings = yield* updateSettings({ ...change, ...provenBy })
      yield* admissions.reconsider
      return settings
    })
  }
})

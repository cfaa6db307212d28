/** Exporting everything of the account but the seed, for a backup that can be read without kez-chat. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Envelope, Limits, PrimaryKey } from "../../protocol/index.ts"
import type { Entry } from "../../services/LocalStore.ts"
import { ClaimState } from "../claims/index.ts"
import { Trust } from "../contacts/index.ts"
import { toShare } from "../files/share/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { readSettings } from "../internal/Settings.ts"
import { MessageLog } from "../messaging/index.ts"
import type { KezChatError } from "../model/index.ts"

/**
 * `kind`: `account`, `settings`, `event` (of the own sigchains), `former` (a key that the account had), `contact`,
 * `claim` (of the account `of`, with its evidence), `message`, `draft`, `share` or `manifest`.
 */
type Item = Readonly<Record<string, unknown>> & { readonly kind: string }

const pageSize = 500

/** Reads a prefix page by page, so that an export takes the memory of one page. */
const entries = (ledger: Ledger["Service"], prefix: string): Stream.Stream<Entry, KezChatError> =>
  Stream.paginate(prefix, (after) =>
    Effect.map(ledger.scan({ prefix, after, limit: pageSize }), (page) => {
      const last = page.length < pageSize ? undefined : page.at(-1)
      return [page, Option.map(Option.fromNullishOr(last), (entry) => entry.key)] as const
    })
  )

/** See `KezChat.export`. */
export const exportAccount = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const head = Stream.unwrap(
    Effect.gen(function* () {
      const { createdAt, device, handle, primary, server } = yield* account.get
      const settings = yield* readSettings(ledger)
      const items: ReadonlyArray<Item> = [
        { kind: "account", handle, primary, server, device, createdAt },
        { kind: "settings", ...settings }
      ]
      return Stream.fromIterable(items)
    })
  )
  const chain = Stream.mapEffect(entries(ledger, Rows.prefix.chain), ({ value }) =>
    Effect.map(Effect.fromResult(Envelope.parse(value)), (event): Item => ({
      kind: "event",
      envelope: Envelope.toJson(event)
    }))
  )
  const former = Stream.mapEffect(entries(ledger, Rows.prefix.former), ({ key, value }) =>
    Effect.map(Effect.fromResult(Rows.Former.decode(key, value)), ({ seed, sealedTo }): Item => ({
      kind: "former",
      primary: PrimaryKey.ofHex(key.slice(Rows.prefix.former.length)),
      // Opens with the key after it, whose words the user has.
      sealedSeed: seed,
      sealedTo: PrimaryKey.ofHex(sealedTo)
    }))
  )
  const formerChains = Stream.mapEffect(entries(ledger, Rows.prefix.chainsOf), ({ value }) =>
    Effect.map(Effect.fromResult(Envelope.parse(value)), (event): Item => ({
      kind: "event",
      envelope: Envelope.toJson(event)
    }))
  )
  const contacts = Stream.mapEffect(entries(ledger, Rows.prefix.contacts), ({ key, value }) =>
    Effect.map(Effect.fromResult(Rows.Contact.decode(key, value)), (row): Item => ({
      kind: "contact",
      ...Trust.toContact(row)
    }))
  )
  const claims = Stream.mapEffect(entries(ledger, Rows.prefix.claimsOfAll), ({ key, value }) =>
    Effect.gen(function* () {
      const row = yield* Effect.fromResult(Rows.Claim.decode(key, value))
      const hex = key.slice(Rows.prefix.claimsOfAll.length, key.indexOf("/", Rows.prefix.claimsOfAll.length))
      const claim = ClaimState.toClaim(row, yield* Clock.currentTimeMillis)
      return { kind: "claim", of: PrimaryKey.ofHex(hex), ...claim } satisfies Item
    })
  )
  const messages = Stream.mapEffect(entries(ledger, Rows.prefix.everyMessage), ({ key, value }) =>
    Effect.map(Effect.fromResult(Rows.MessageRow.decode(key, value)), (row): Item => {
      const peer = key.slice(Rows.prefix.everyMessage.length, key.lastIndexOf("/"))
      const { device, hash, seq } = row
      // The body contains the offer, as JSON.
      const { file: _, ...message } = MessageLog.toMessage(peer, Rows.orderOf(key), row)
      return { kind: "message", ...message, device, seq, hash }
    })
  )
  const drafts = Stream.mapEffect(entries(ledger, Rows.prefix.drafts), ({ key, value }) =>
    Effect.map(Effect.fromResult(Rows.Draft.decode(key, value)), ({ text }): Item => ({
      kind: "draft",
      peer: PrimaryKey.ofHex(key.slice(Rows.prefix.drafts.length)),
      text
    }))
  )
  const shares = entries(ledger, Rows.prefix.shares).pipe(
    Stream.mapEffect(({ key, value }) => Effect.fromResult(Rows.Share.decode(key, value))),
    Stream.filter(({ removed }) => removed === undefined),
    Stream.mapEffect((row) =>
      // Safe to export: the content key is wrapped for this account alone.
      Effect.map(toShare(ledger, row), (share): Item => ({
        kind: "share",
        ...share,
        ...(row.selfKey === undefined ? {} : { wrappedContentKey: row.selfKey })
      }))
    )
  )
  const manifest = Stream.unwrap(
    Effect.gen(function* () {
      const body = yield* ledger.getBytes(Rows.key.manifestBody)
      if (body === undefined) return Stream.empty
      const envelope = yield* Effect.fromResult(Envelope.parse(body, Limits.manifestBytes))
      return Stream.succeed<Item>({ kind: "manifest", envelope: Envelope.toJson(envelope) })
    })
  )
  return Stream.concat(head, chain).pipe(
    Stream.concat(former),
    Stream.concat(formerChains),
    Stream.concat(contacts),
    Stream.concat(claims),
    Stream.concat(messages),
    Stream.concat(drafts),
    Stream.concat(shares),
    Stream.concat(manifest)
  )
})

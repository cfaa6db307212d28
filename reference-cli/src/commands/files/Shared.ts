/** Lists what this account shares, and unshares it. */
import type { KezChat, Share, ShareReader } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import { fail, usage } from "../../Failure.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import { Json, Quantity, result, Sanitise, Show, type Style, warn } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"
import * as Offers from "./Offers.ts"
import { undelisted } from "./Delivery.ts"

const readerName = ({ handle, primary }: ShareReader): string =>
  handle === primary ? Show.shortKey(primary) : Sanitise.line(handle)

const reader = (value: ShareReader, style: Style): string => {
  const name = readerName(value)
  if (value.fetchedAt !== undefined) {
    return `${name} ${style.good("fetched it")} ${style.dim(`${Show.day(value.fetchedAt)} ${Show.clock(value.fetchedAt)}`)}`
  }
  return value.sentBytes === 0 ? name : `${name} ${style.dim(`${Quantity.bytes(value.sentBytes)} sent`)}`
}

const lines = (share: Share, style: Style): ReadonlyArray<string> => {
  const states = [
    ...(share.listed === "unlisted" ? [style.dim("unlisted")] : []),
    ...(share.manifest === "pending" ? [style.caution("not published yet")] : []),
    ...(share.here ? [] : [style.caution("not on this device")]),
    ...(share.replacedBy === undefined ? [] : [style.dim(`older version of ${Show.shortId(share.replacedBy)}`)])
  ]
  const readers = [
    ...(share.listed === "public" ? [style.dim("everybody who browses")] : []),
    ...share.readers.map((value) => reader(value, style))
  ]
  return [
    `${Show.shortId(share.id)}  ${style.bold(Show.fileName(share))} (${Quantity.bytes(share.size)})  ${[style.dim(Show.day(share.sharedAt)), ...states].join("  ")}`,
    ...(readers.length === 0 ? [style.dim("          nobody")] : readers.map((text) => `          ${text}`))
  ]
}

export const shared = () =>
  withAccess(
    { command: "shared", offline: true },
    Effect.fnUntraced(function* ({ chat, paths, files }) {
      const shares = yield* chat.shared
      const serving = yield* files.serving
      yield* result({
        json: () => ({ shares: shares.map(Json.share), serving }),
        text: (style) =>
          shares.length === 0
            ? `Nothing shared yet: ${style.bold(CommandLine.line(paths.name, "share @NAME FILE"))}`
            : [
                ...shares.flatMap((share) => lines(share, style)),
                ...[...new Set(shares.flatMap(({ problem }) => problem?.detail ?? []))].map((detail) =>
                  style.caution(Sanitise.line(detail))
                ),
                ...(serving
                  ? []
                  : ["", style.dim(`Available while \`${CommandLine.line(paths.name, "serve")}\` runs.`)])
              ]
      })
    })
  )

const isBelow = ({ folder }: Share, path: string): boolean => folder === path || folder?.startsWith(`${path}/`) === true

/** The shares that a reference stands for: an id or its start, a path, or a folder. */
const find = Effect.fnUntraced(function* (chat: KezChat["Service"], paths: ProfilePaths, fileRef: string) {
  const shares = yield* chat.shared
  const byId = fileRef.length >= 4 ? shares.filter(({ id }) => id.startsWith(fileRef)) : []
  const named = shares.filter((share) => Offers.pathOf(share) === fileRef)
  if (byId.length > 1) {
    return yield* usage(
      `${JSON.stringify(Sanitise.line(fileRef))} means several: say one of ${byId.map(({ id }) => id).join(", ")}`
    )
  }
  const folder = fileRef.replace(/\/+$/, "")
  // A path means all its versions: unsharing a file should not leave an older one listed.
  const found = [byId, named, shares.filter((share) => isBelow(share, folder))].find((some) => some.length > 0) ?? []
  if (found.length > 0) return found
  return yield* fail(
    "file_not_found",
    "notFound",
    `you share nothing that is called ${JSON.stringify(Sanitise.line(fileRef))}: \`${CommandLine.line(paths.name, "shared")}\` lists what you share`
  )
})

export const unshare = (input: { readonly what: ReadonlyArray<string> }) =>
  withAccess(
    { command: "unshare" },
    Effect.fnUntraced(function* ({ chat, paths }) {
      // All references are resolved before the first share is removed.
      const found = yield* Effect.forEach(input.what, (fileRef) => find(chat, paths, fileRef))
      const ids = [...new Set(found.flat().map(({ id }) => id))]
      const removed = yield* Effect.forEach(ids, (id) => chat.unshare(id))
      const late = yield* undelisted(chat, ids)
      if (late !== undefined) {
        yield* warn(`${late}: others may still see it in your list until the next command that is online`)
      }
      yield* result({
        json: () => ({ unshared: removed.map(Json.share) }),
        text: (style) =>
          removed.map((share) => {
            const kept = share.readers.filter(({ fetchedAt }) => fetchedAt !== undefined).map(readerName)
            const who = kept.length === 0 ? "" : `; ${kept.join(", ")} fetched it before`
            return `No longer shared: ${style.bold(Show.fileName(share))}${who}`
          })
      })
    })
  )

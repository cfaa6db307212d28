/**
 * Where the files of one fetch are saved: each under a name of its own, nothing that is there silently replaced, and
 * nothing fetched that is there already.
 *
 * Two files can ask for one name: names are made harmless before they are used (`a?.txt`, `a_.txt`), spellings of Unicode
 * become one, and some disks do not tell capitals from small letters. Whether a name is taken is therefore asked of the
 * disk, and a file that this fetch put there is never taken for an older one.
 */
import type { KezChatError } from "@kez-chat/sdk"
import { FileName } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"

/** A file as its owner named it. */
export interface Named {
  readonly name: string
  /** A folder below the chosen one, parts separated by `/`. */
  readonly within?: string
  /** Size in bytes, if known. */
  readonly size?: number
}

/** What to do with an existing file that differs. */
export type Answer = "replace" | "keep-both" | "skip"

/** What to do with one file. */
export type Step =
  | { readonly _tag: "Save"; readonly name: string; readonly within: string; readonly overwrite: boolean }
  | { readonly _tag: "Skip"; readonly path: string; readonly because: "same" | "answer" }

export interface SavePlan {
  /** Where to save `file`. `isSame` compares an existing file with the one to fetch; `ask` decides if they differ. */
  readonly step: <E, R>(
    file: Named,
    isSame: (path: string) => Effect.Effect<boolean, KezChatError>,
    ask: (path: string) => Effect.Effect<Answer, E, R>
  ) => Effect.Effect<Step, E | KezChatError, R>
  /** Records that a file of this fetch is now at a path. */
  readonly claim: (path: string) => void
}

/** The file status at a path. If it cannot be read nothing can be saved either, and saving reports why. */
const statOf = (path: string): fs.BigIntStats | undefined => {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false, bigint: true })
  } catch {
    return undefined
  }
}

const identity = ({ dev, ino }: fs.BigIntStats): string => `${dev}:${ino}`

/** The folder path to use: a folder whose name is taken by a file gets another name. */
const freeFolder = (folder: string, within: string): string => {
  const parts: Array<string> = []
  for (const part of FileName.safeFolder(within)) {
    let name = part
    for (let number = 2; isFile(path.join(folder, ...parts, name)); number++) name = FileName.numbered(part, number)
    parts.push(name)
  }
  return parts.join("/")
}

const isFile = (at: string): boolean => statOf(at)?.isFile() === true

/** The order in which names are assigned: a name that is safe unchanged keeps it, whatever is mapped to it. */
export const order = (a: Named, b: Named): number => {
  const [first, second] = [rank(a), rank(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

const rank = ({ name, within = "" }: Named): string => {
  const isSafe = FileName.safe(name) === name && FileName.safeFolder(within).join("/") === within
  return `${isSafe ? 0 : 1} ${within}/${name}`
}

export const make = (folder: string): SavePlan => {
  const claimed = new Set<string>()
  const claim: SavePlan["claim"] = (at) => {
    const found = statOf(at)
    if (found !== undefined) claimed.add(identity(found))
  }

  const step: SavePlan["step"] = Effect.fnUntraced(function* (file, isSame, ask) {
    const within = freeFolder(folder, file.within ?? "")
    const safe = FileName.safe(file.name)
    let name = safe
    for (let number = 2; ; number++) {
      const at = path.join(folder, within, name)
      const stat = statOf(at)
      if (stat === undefined) return { _tag: "Save", name, within, overwrite: false }
      // Neither a folder nor a file of this fetch is ever replaced.
      if (!stat.isDirectory() && !claimed.has(identity(stat))) {
        const canBeSame = stat.isFile() && (file.size === undefined || stat.size === BigInt(file.size))
        if (canBeSame && (yield* isSame(at))) return { _tag: "Skip", path: at, because: "same" }
        // The name belongs to this file either way: the next one does not ask about it again.
        if (name === safe) claim(at)
        const answer = name === safe ? yield* ask(at) : "keep-both"
        if (answer === "skip") return { _tag: "Skip", path: at, because: "answer" }
        if (answer === "replace") return { _tag: "Save", name, within, overwrite: true }
      }
      name = FileName.numbered(safe, number)
    }
  })

  return { step, claim }
}

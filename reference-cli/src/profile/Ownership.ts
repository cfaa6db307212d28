/** Checks that no other user can change a profile's folders: their content could not be trusted. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { ProfilePaths } from "./Paths.ts"

const writableByAll = 0o002
const sticky = 0o1000

interface Found {
  readonly mode: number
  readonly uid: number
}

/** What is wrong with a folder; `isOwn` for the profile's own, otherwise one above it. */
export const judge = (folder: string, { mode, uid }: Found, user: number, isOwn: boolean): string | undefined => {
  if (uid !== user && (isOwn || uid !== 0)) {
    return `${folder} belongs to another user (${uid}): use the program as that user, or another folder by KEZ_CHAT_DIR`
  }
  if ((mode & writableByAll) === 0 || (!isOwn && (mode & sticky) !== 0)) return undefined
  return `every user of this machine can change ${folder}: make sure that what is in it is yours, then chmod 700 it`
}

/** Why the folders of a profile cannot be trusted, in a sentence; undefined if they can, or do not exist yet. */
export const problemOf = (paths: Pick<ProfilePaths, "folders">): string | undefined => {
  const user = process.getuid?.()
  if (user === undefined) return undefined
  const own = new Set(paths.folders)
  const above = paths.folders.flatMap((folder) => [path.dirname(folder), path.dirname(path.dirname(folder))])
  for (const folder of new Set([...own, ...above])) {
    const found = fs.statSync(folder, { throwIfNoEntry: false })
    if (found === undefined) continue
    if (!found.isDirectory()) return `${folder} is not a folder: name one by KEZ_CHAT_DIR`
    const problem = judge(folder, found, user, own.has(folder))
    if (problem !== undefined) return problem
  }
  return undefined
}

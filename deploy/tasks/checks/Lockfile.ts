// Rules for package-lock.json. Ours because lockfile-lint accepts a package without a hash where the lock file has no `resolved`.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../paths.mjs"

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly inBundle?: boolean
}

/** One sentence per broken rule: a lock file names no registry and pins every package by hash. */
export function lockfileViolations(lock: { readonly packages: Readonly<Record<string, LockedPackage>> }): string[] {
  const violations = []
  for (const [path, { resolved = "", integrity, link, inBundle }] of Object.entries(lock.packages)) {
    if (/^\w+:/.test(resolved))
      violations.push(`${path} is bound to ${new URL(resolved).host}: run npm install with the repository's .npmrc`)
    if (path.startsWith("node_modules/") && !link && integrity === undefined && !inBundle)
      violations.push(`${path} has no integrity hash`)
  }
  return violations
}

/** The rules applied to the repository. */
export const checkLockfile = () => lockfileViolations(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")))

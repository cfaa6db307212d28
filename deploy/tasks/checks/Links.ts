// The link check of the Markdown pages, by linkinator: relative links and anchors. It makes no request to other hosts.
import { globSync } from "node:fs"
import { join } from "node:path"
import { root } from "../paths.mjs"

/** Links to other hosts are skipped; linkinator itself serves the pages on this machine. */
const OTHER_HOSTS = String.raw`^(?!https?://(localhost|127\.0\.0\.1|\[::1\])[:/])`

/** Arguments for Node that check `pages`, paths relative to the working directory. */
export const linkCheck = (pages: readonly string[]): string[] => [
  join(root, "node_modules/linkinator/build/src/cli.js"),
  ...pages,
  ...["--markdown", "--check-fragments", "--directory-listing"],
  ...["--skip", OTHER_HOSTS, "--verbosity", "error"]
]

/** Every Markdown page of the repository. */
export const pages = () =>
  globSync(["*.md", ".github/**/*.md", "{conformance,deploy,reference-*,sdk,spec}/**/*.md"], {
    cwd: root,
    exclude: (name) => name === "node_modules" || name === "dist"
  })

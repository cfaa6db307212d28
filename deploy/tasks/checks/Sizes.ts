// How large folders and files may be (STYLE.md), with the exceptions and their reasons.
import { posix } from "node:path"

const FILES_PER_FOLDER = 15
const LINES_PER_FILE = 400

/** Files, or folders with their files, that may be larger for good. */
const EXEMPT: Readonly<Record<string, "one algorithm" | "data">> = {
  "sdk/src/protocol/sigchain/Sigchain.ts": "one algorithm",
  "spec/scripts/vectors": "data"
}

/** Files and folders that are too large for now. One that keeps the limits must be removed, so the list only shrinks. */
const TOO_LARGE_FOR_NOW: readonly string[] = [
  "reference-cli/src",
  "reference-cli/src/Cli.ts",
  "reference-cli/src/commands/files/Fetch.ts",
  "reference-cli/src/terminal",
  "reference-cli/test/Cli.test.ts",
  "reference-cli/test/Files.test.ts",
  "reference-server/src",
  "reference-server/src/broker",
  "reference-server/src/broker/Quotas.ts",
  "reference-server/test/broker",
  "reference-server/test/broker/Quotas.test.ts",
  "reference-server/test/http/Admin.test.ts",
  "reference-server/test/http/Hostile.test.ts",
  "reference-server/test/http/Manifests.test.ts",
  "sdk/src/client/KezChat.ts",
  "sdk/src/client/account/Accounts.ts",
  "sdk/src/client/files/share/Publication.ts",
  "sdk/src/client/internal/Rows.ts",
  "sdk/test/adapters/http/Http.test.ts",
  "sdk/test/client/contacts/Contacts.test.ts",
  "sdk/test/client/files/fetch/Addresses.test.ts",
  "sdk/test/client/files/fetch/Downloads.test.ts",
  "sdk/test/client/files/share/Anchoring.test.ts",
  "sdk/test/client/files/share/Manifests.test.ts",
  "sdk/test/client/files/share/Shares.test.ts",
  "sdk/test/client/messaging/Inbox.test.ts",
  "sdk/test/kits",
  "sdk/test/kits/BlobStoreKit.ts",
  "sdk/test/kits/BrokerKit.ts",
  "sdk/test/kits/CryptoKit.ts",
  "sdk/test/spec/Operations.ts"
]

/** One sentence per folder or file that is too large, and per exception that is not needed any more. */
export function sizeViolations(
  files: ReadonlyMap<string, string>,
  exempt: Readonly<Record<string, string>> = EXEMPT,
  tolerated: readonly string[] = TOO_LARGE_FOR_NOW
): string[] {
  const tooLarge = new Map<string, string>()
  const folders = new Map<string, number>()
  for (const [path, text] of files) {
    const folder = posix.dirname(path)
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
    const lines = text.split("\n").length - 1
    if (lines > LINES_PER_FILE && !(path in exempt) && !(folder in exempt))
      tooLarge.set(path, `${path} has ${lines} lines and may have ${LINES_PER_FILE}: split it by concept`)
  }
  for (const [folder, count] of folders)
    if (count > FILES_PER_FOLDER && !(folder in exempt))
      tooLarge.set(folder, `${folder} holds ${count} source files and may hold ${FILES_PER_FOLDER}: group them`)
  return [
    ...[...tooLarge].filter(([path]) => !tolerated.includes(path)).map(([, sentence]) => sentence),
    ...tolerated
      .filter((path) => !tooLarge.has(path))
      .map((path) => `${path} keeps the size limits: remove it from TOO_LARGE_FOR_NOW in deploy/tasks/checks/Sizes.ts`)
  ]
}

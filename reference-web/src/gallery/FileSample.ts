/** Lists of files for stories and tests. */
import type { ListedFile, Listing } from "@kez-chat/sdk/promise"
import { contact } from "./PersonSample.ts"

let number = 0

export const file = (name: string, more: Partial<ListedFile> = {}): ListedFile => {
  number += 1
  return {
    id: `Ab3${String(number).padStart(4, "0")}_kq9-Xz81LmQp7a`,
    name,
    mediaType: "application/octet-stream",
    size: 1_234_567 * number,
    blobHash: `blake3:${"ab".repeat(32)}`,
    sharedAt: Date.parse("2026-08-02T12:00:00Z") - number * 86_400_000,
    public: false,
    ...more
  }
}

export const listing = (files: ReadonlyArray<ListedFile>, more: Partial<Listing> = {}): Listing => ({
  owner: contact,
  revision: 12,
  createdAt: Date.now() - 2 * 86_400_000,
  source: "home",
  files,
  ...more
})

export const some: ReadonlyArray<ListedFile> = [
  file("plans.pdf"),
  file("holiday photos 2026.zip", { size: 3_400_000_000 }),
  file("q3.pdf", { folder: "reports/2026", public: true }),
  file("q3.pdf", { folder: "reports/2026", replacedBy: "newer" }),
  file("minutes of the meeting.odt", { folder: "reports/2026", size: 812 })
]

export const hostile: ReadonlyArray<ListedFile> = [
  file("invoice\u202efdp.exe"),
  file("'; rm -rf ~; echo '"),
  file("$(reboot)`reboot`.txt", { folder: "a\u200bb/<b>bold</b>" }),
  file("\u05d0\u05d1\u05d2 \u05d3\u05d4\u05d5.txt"),
  file("n".repeat(255), { folder: `${"deep/".repeat(15)}end` }),
  file("\u0301\u0301\u0301", { size: 0 })
]

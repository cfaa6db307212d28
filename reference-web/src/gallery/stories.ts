import type { Story } from "./Story.ts"

/** Every story of the package, by the path of its file. */
export const stories: ReadonlyArray<Story> = Object.values(
  import.meta.glob<Story>("../**/*.story.ts", { eager: true, import: "default" })
).sort((one, other) => (one.element < other.element ? -1 : 1))

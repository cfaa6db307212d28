export interface NatsServer {
  readonly path: string
  /** `major.minor.patch` */
  readonly version: string
  readonly from: string
}

export const MINIMUM: string
export const WANTED: string

export function compareVersions(a: string, b: string): -1 | 0 | 1

/** The version of the nats-server at `path`, undefined when it is none. */
export function versionOf(path: string): Promise<string | undefined>

/** `NATS_SERVER`, then PATH, then the repository's cache; undefined when none of them is new enough. */
export function findNatsServer(options?: {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cacheDir?: string
}): Promise<NatsServer | undefined>

/** Finds one, or fetches one into the cache: official release, Debian, Go. */
export function getNatsServer(options?: {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cacheDir?: string
  readonly say?: (line: string) => void
}): Promise<NatsServer>

/** The Debian mirror in a machine's apt sources. */
export function debianMirror(aptFolder?: string): { readonly uri: string; readonly keyring: string } | undefined

/** The official release for this platform, refused when it does not have its pinned SHA-256. */
export function fromRelease(options: {
  readonly scratch: string
  readonly cacheDir: string
  readonly release?: { readonly version: string; readonly sha256: Readonly<Record<string, string>> }
  readonly download?: (url: string) => Promise<Response>
}): Promise<NatsServer>

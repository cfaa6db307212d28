type Environment = Readonly<Record<string, string | undefined>>

/** The native iroh-blobs peer that was built before; undefined where there is none. */
export function findNativePeer(env?: Environment): string | undefined

/** Why the peer cannot be built here; undefined where it can. */
export function whyNoNativePeer(env?: Environment): Promise<string | undefined>

/** Builds the peer and gives its path. */
export function buildNativePeer(): Promise<string>

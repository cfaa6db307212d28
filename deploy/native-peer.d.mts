/** The native iroh-blobs peer that was built before; undefined where there is none. */
export function findNativePeer(): string | undefined

/** Why the peer cannot be built here; undefined where it can. */
export function whyNoNativePeer(): Promise<string | undefined>

/** Builds the peer and gives its path. */
export function buildNativePeer(): Promise<string>

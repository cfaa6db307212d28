/** RFC 9110's weak comparison with each tag of `If-None-Match`: a proxy that compresses makes tags weak. */
export const isHeld = (header: string | undefined, etag: string): boolean =>
  header?.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag) ?? false

/** Profile, safety number, chain, files, and what is protected. */
export const people = {}

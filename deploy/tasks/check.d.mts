/** Complaints about a lock file: it must name no registry and pin every package by hash. */
export function lockfileComplaints(lock: { readonly packages: Readonly<Record<string, object>> }): string[]

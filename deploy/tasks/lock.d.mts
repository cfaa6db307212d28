/** Runs `work` while holding the lock `file`; `onWait` is told once which process holds it meanwhile. */
export function withLock<A>(file: string, work: () => Promise<A>, onWait?: (holder: number) => void): Promise<A>

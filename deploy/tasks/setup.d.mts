/** Whether node_modules is what the lock file says. */
export function isInstalled(folder?: string): boolean

/** Runs a program with its output in a log file and resolves with its lines; a failure is one sentence. */
export function quietly(what: string, command: string, args: readonly string[]): Promise<string[]>

/** The imports of a module, dynamic ones with a literal specifier included. */
export function importsOf(path: string, text: string): Array<{ readonly specifier: string; readonly typeOnly: boolean }>

/** One sentence per broken rule. */
export function findViolations(
  files: ReadonlyMap<string, string>,
  exports: Readonly<Record<string, { readonly "kez-source": string }>>
): string[]

/** The rules applied to the repository. */
export function check(): { readonly violations: string[]; readonly count: number }

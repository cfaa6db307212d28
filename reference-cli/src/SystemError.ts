/** Errors of the operating system in words for people. */
import * as Effect from "effect/Effect"
import { type CliFailure, fail } from "./Failure.ts"

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  SQLITE_FULL: "no space is left on the disk",
  SQLITE_READONLY: "it is read-only",
  EDQUOT: "your quota on this disk is used up",
  EFBIG: "the file would be larger than the disk allows",
  EROFS: "the disk is mounted read-only",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EISDIR: "it is a folder",
  EEXIST: "it exists already, and nothing is written over",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "the name is too long for this disk",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open on this machine",
  EBADF: "it is not open",
  EIO: "the disk or terminal failed",
  EINVAL: "the system does not take this"
}

/** Why a system call failed, without the path and the call that Node puts into its messages. */
export const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons[code ?? ""] ?? message
}

/** Runs calls of the system. What they throw becomes a failure: `problem` and its reason. */
export const attempt = <A>(code: string, problem: string, run: () => A): Effect.Effect<A, CliFailure> =>
  Effect.try({ try: run, catch: (error) => fail(code, "failed", `${problem}: ${reasonOf(error)}`) })

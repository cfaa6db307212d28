/** What the definitions of commands share. */
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import type { Failure } from "./Failure.ts"
import * as Flags from "./Flags.ts"

/** Loads a command's module and runs it with the global flags. */
export const lazily =
  <Module, Input, R>(
    load: () => Promise<Module>,
    run: (module: Module, input: Input) => Effect.Effect<void, Failure, R>
  ) =>
  (input: Input) =>
    Flags.withSettings(Effect.flatMap(Effect.promise(load), (module) => run(module, input)))

export const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

export const who = Argument.String("who").pipe(Argument.withDescription("A contact: name, name@server or its key"))
export const offline = flag("offline", "Use only what is on this machine")

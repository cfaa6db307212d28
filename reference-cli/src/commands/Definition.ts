/** What the definitions of commands share. */
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Param from "effect/cli/Param"
import { Parameters } from "../Arguments.ts"
import type { Failure } from "../Failure.ts"
import * as Flags from "../Flags.ts"

/** A command with its parameters, which {@link Parameters} keeps for who sorts its command line. */
export const command = <const Name extends string, const Config extends Readonly<Record<string, Param.Any>>, E, R>(
  name: Name,
  config: Config,
  handler: (input: Command.Command.Config.Infer<Config>) => Effect.Effect<void, E, R>
) => Command.make(name, config, handler).pipe(Command.annotate(Parameters, Object.values(config)))

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

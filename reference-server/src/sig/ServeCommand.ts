/** The command line of sig-server: its flags, and the running server from them. */
import * as Command from "effect/cli/Command"
import { listenerFlags, timingFlags, toTiming } from "../http/ListenerConfig.ts"
import { count } from "../process/Flags.ts"
import { admin, databaseFlag } from "./AdminCommand.ts"
import { serve } from "./SigServer.ts"

const flags = {
  ...listenerFlags({ public: 7878, internal: 0 }),
  ...timingFlags,
  ...databaseFlag,
  readsPerMinute: count("reads-per-minute", 600, "Reads of one client address a minute; 0 for no limit"),
  appendsPerMinute: count("appends-per-minute", 60, "Appends of one client address a minute; 0 for no limit"),
  newChainsPerHour: count("new-chains-per-hour", 20, "New chains of one client address an hour; 0 for no limit"),
  chainBytesPerDay: count(
    "chain-bytes-per-day",
    16 * 1024 ** 2,
    "Bytes of events that one client address stores a day; 0 for no limit",
    0
  ),
  chainStoreBytes: count(
    "chain-store-bytes",
    4 * 1024 ** 3,
    "Bytes of all chains together; the last tenth is for chains that exist",
    1_048_576
  )
}

export const serveCommand = Command.make("kez-chat-sig-server", flags, (values) =>
  serve({
    listeners: values,
    timing: toTiming(values),
    rates: values,
    storeBytes: values.chainStoreBytes,
    database: values
  })
).pipe(
  Command.withDescription("Stores sigchains and serves them. Without a subcommand it serves until SIGTERM or SIGINT."),
  Command.withSubcommands([admin])
)

import { main } from "./main.ts"
import { endOn } from "./suite/Interrupt.ts"

// Whoever reads the output may stop early, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
  process.exit()
})

endOn("SIGINT", "SIGTERM", "SIGHUP")
process.exitCode = await main(process.argv.slice(2))

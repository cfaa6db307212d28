/** The program `kez-chat-sig-server`. */
import { runProgram } from "./process/Program.ts"
import { serveCommand } from "./sig/ServeCommand.ts"

runProgram(serveCommand)

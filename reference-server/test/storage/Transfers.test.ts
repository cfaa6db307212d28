import { describe } from "vitest"
import { sqliteDatabases } from "../kits/stores/TestDatabases.ts"
import { transfersKit } from "../kits/stores/TransfersKit.ts"

describe("over SQLite", () => void transfersKit(sqliteDatabases))

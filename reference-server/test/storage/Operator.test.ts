import { describe } from "vitest"
import { operatorKit } from "../kits/stores/OperatorKit.ts"
import { sqliteDatabases } from "../kits/stores/TestDatabases.ts"

describe("over SQLite", () => void operatorKit(sqliteDatabases))

/** The two schemas: chat-server's registry, and sig-server's sigchains. */
import { brokerTables } from "./tables/BrokerTables.ts"
import { chainTables } from "./tables/ChainTables.ts"
import { manifestTables } from "./tables/ManifestTables.ts"
import { movedKeyTables } from "./tables/MovedKeyTables.ts"
import { operatorTables } from "./tables/OperatorTables.ts"
import { registryTables } from "./tables/RegistryTables.ts"
import type { Schema } from "./tables/Schema.ts"

/** "kezc". */
export const registrySchema: Schema = {
  owner: "chat-server",
  applicationId: 0x6b657a63,
  migrations: [...registryTables, ...brokerTables, ...manifestTables, ...operatorTables, ...movedKeyTables]
}

/** "kezs". */
export const sigchainSchema: Schema = { owner: "sig-server", applicationId: 0x6b657a73, migrations: chainTables }

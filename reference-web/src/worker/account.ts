/** The worker that holds the account of this browser, for every tab. */
import { serveAccount } from "@kez-chat/sdk/web-worker"

declare const BUILD_TIME: string

serveAccount({ home: location.origin, build: BUILD_TIME })

import { serveAccount } from "@kez-chat/sdk/web-worker"

declare const BUILD: string
declare const HOME: string

serveAccount({ home: HOME, build: BUILD })

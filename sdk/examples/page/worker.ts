import { serveAccount } from "@kez-chat/sdk/web-worker"

declare const HOME: string, BUILD: string
serveAccount({ home: HOME, build: BUILD })

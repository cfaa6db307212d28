#!/usr/bin/env node
import { launch } from "./launch.js"

launch("kez-chat-server", "chat-server.js")

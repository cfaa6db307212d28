#!/usr/bin/env node
import { launch } from "./launch.js"

launch("kez-chat-sig-server", "sig-server.js")

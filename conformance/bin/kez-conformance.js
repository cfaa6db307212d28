#!/usr/bin/env node
import "../dist/kez-conformance.js"

/** Remembers what components ask for before a page provides it; imported before they are defined. */
import { ContextRoot } from "@lit/context"

new ContextRoot().attach(document.documentElement)

/**
 * Handles that nobody can register, because people would take them for the server, its operators or a machine.
 *
 * An operator adds to the list or lifts an entry with `kez-chat-server admin reserve|unreserve`; docs/handles.md
 * explains the policy.
 */
const groups = {
  operators:
    "abuse admin administrator contact help helpdesk info legal mod moderator moderators noc official operator owner postmaster press privacy root security staff superuser support sysadmin system team trust webmaster",
  project: "kez kez-chat kezchat kez_chat kez-lat iroh nats sigchain",
  protocol:
    "api assets auth broker docs handle handles healthz host hostmaster internal localhost login mailer-daemon manifest metrics nobody noreply no-reply oauth openapi primary proxy register server sigchains sso static status webfinger websocket well-known www",
  interface:
    "account all anonymous bot channel chat deleted everybody everyone guest here inbox messages myself note-to-self notes null self settings undefined unknown user you",
  trust: "billing payment payments recovery restore seed verify verified verification wallet"
}

/** The built-in list, lower case. */
export const reservedHandles: ReadonlySet<string> = new Set(Object.values(groups).flatMap((names) => names.split(" ")))

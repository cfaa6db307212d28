/** What is used of undici, in a module of its own so that it can be loaded at run time, bundled or not. */
export { Agent, buildConnector, EnvHttpProxyAgent, fetch, WebSocket } from "undici"

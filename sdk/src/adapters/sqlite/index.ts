/** The local store in one SQLite file, on better-sqlite3 (an optional peer dependency). */
export * as SqliteLocalStore from "./SqliteLocalStore.ts"

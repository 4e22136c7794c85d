/** Raised when the tables change; an older file is refused by name. */
export const SQLITE_FORMAT = 3

/**
 * For new files. A row without an id of its own that is longer than a quarter of a page spills into a page alone: the
 * snapshots and cases of ordinary agents are about a kilobyte.
 */
export const SQLITE_PAGE_BYTES = 8192

/** What says which format the rest has. */
export const sqliteMeta = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`

export const sqliteSchema = `
CREATE TABLE IF NOT EXISTS actor (
  id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL, incarnation INTEGER NOT NULL,
  seq INTEGER NOT NULL, epoch INTEGER NOT NULL, status TEXT NOT NULL, running INTEGER NOT NULL,
  snapshot TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS actor_busy ON actor (address) WHERE running > 0 AND status = 'active';
CREATE TABLE IF NOT EXISTS turn (
  position INTEGER PRIMARY KEY, address TEXT NOT NULL, seq INTEGER NOT NULL, record TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS turn_address ON turn (address, seq);
CREATE TABLE IF NOT EXISTS keyed_row (
  address TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (address, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parked_row ON keyed_row (key) WHERE key >= '~parked:' AND key < '~parked;';
CREATE TABLE IF NOT EXISTS shape (id INTEGER PRIMARY KEY, skeleton TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (position INTEGER PRIMARY KEY, message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timer (
  address TEXT NOT NULL, id TEXT NOT NULL, due_at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (address, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter (
  id INTEGER PRIMARY KEY, reason TEXT NOT NULL, message TEXT NOT NULL
);
`

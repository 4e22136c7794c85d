import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder that only its owner may enter, with those above it, and flushes where each new one is listed: SQLite
 * flushes what is in the folder, but a power cut could still take a folder that nobody has flushed.
 */
export function makeFolder(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 })
  // Windows flushes no folders.
  if (first === undefined || process.platform === 'win32') return
  const last = resolve(first)
  for (let made = resolve(directory); made.length >= last.length; made = dirname(made)) {
    flushFolder(dirname(made))
  }
}

function flushFolder(directory: string): void {
  const folder = openSync(directory, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

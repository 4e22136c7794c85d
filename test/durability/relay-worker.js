// A system of relays on a SQLite journal. Hands in errands, eight at a time, and notes each one that is acknowledged.
// relay-worker.js DRIVER JOURNAL NOTES COUNT DIE-AFTER: unless DIE-AFTER is 0 it kills itself after so many. What an
// earlier life has noted is not handed in again. Run on the built package.
import { createHash } from 'node:crypto'
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createSystem, sqlite } from 'ambit'
import { pathOf, relayRoot } from './relay.js'

const [, , driver, directory, notesFile, count, dieAfter] = process.argv
const AT_A_TIME = 8
const load = 'x'.repeat(1500)

const known = existsSync(notesFile) ? readFileSync(notesFile, 'utf8') : ''
const notes = openSync(notesFile, 'a')
const note = (line) => void writeSync(notes, `${line}\n`)

/** The journal, but what is offered as a group is noted by the digests of its records. */
const noting = (journal) => ({
  async open() {
    const session = await journal.open()
    const commit = session.commit.bind(session)
    session.commit = (batch) => {
      const groups = new Map()
      for (const { group, records } of batch) {
        if (group === undefined) continue
        const digests = records.map((record) => createHash('sha256').update(record).digest('hex'))
        groups.set(group, [...(groups.get(group) ?? []), ...digests.map((all) => all.slice(0, 16))])
      }
      for (const digests of groups.values()) note(`group ${digests.join(' ')}`)
      return commit(batch)
    }
    return session
  },
})

const ids = Array.from({ length: Number(count) }, (_, n) => `r-${n}`)
const left = ids.filter((id) => !known.includes(`ack ${id}\n`))
let acknowledged = 0

async function handIn() {
  for (let id = left.shift(); id !== undefined; id = left.shift()) {
    await system.ref(pathOf(id)[0]).deliver({ type: 'errand', id, step: 0, load }, { id })
    // Not flushed: whoever was told has been told, whatever becomes of this disk.
    note(`ack ${id}`)
    if (++acknowledged === Number(dieAfter)) process.kill(process.pid, 'SIGKILL')
  }
}

const system = createSystem({ root: relayRoot(), journal: noting(sqlite(directory, { driver })) })
await system.start()
await Promise.all(Array.from({ length: AT_A_TIME }, handIn))
await system.atRest()
await system.stop()
process.exit(0)

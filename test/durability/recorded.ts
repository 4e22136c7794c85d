import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SqliteDriverName } from '../../src/embedded/sqlite-driver.ts'
import { exited, temporaryFolder } from '../support/desk-process.ts'
import { JOURNAL_FOLDER, NOTES_FILE } from './power-cut.ts'
import { readRecording, type Operation } from './recording.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Builds the recorder; undefined where there is no C compiler, or no Linux. */
export function buildRecorder(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const library = join(temporaryFolder(), 'recorder.so')
  const args = ['-shared', '-fPIC', '-O1', '-o', library, here('recorder.c')]
  return spawnSync('cc', args, { stdio: 'inherit' }).status === 0 ? library : undefined
}

export interface RecordOptions {
  readonly driver: SqliteDriverName
  readonly recorder: string
  readonly errands: number
  /** So many are acknowledged in a first life that ends with a kill; the rest in a second. */
  readonly killAfter: number
  readonly flushes: 'FULL' | 'NORMAL'
}

export interface Recorded {
  /** All that is left of it: the log, and the disk. */
  readonly scratch: string
  /** The disk as the last process left it. */
  readonly folder: string
  readonly operations: readonly Operation[]
}

/** Records two lives of a system of relays, with the recovery between them. */
export async function record(options: RecordOptions): Promise<Recorded> {
  const { driver, recorder, errands, killAfter, flushes } = options
  const scratch = realpathSync(temporaryFolder())
  const [folder, log] = [join(scratch, 'disk'), join(scratch, 'log')]
  mkdirSync(folder)
  const control = flushes === 'NORMAL' ? ['--import', here('normal-sync.js')] : []
  const files = [join(folder, JOURNAL_FOLDER), join(folder, NOTES_FILE)]
  const args = [here('relay-worker.js'), driver, ...files, String(errands)]
  const env = {
    ...process.env,
    LD_PRELOAD: recorder,
    AMBIT_CUTS_DIR: folder,
    AMBIT_CUTS_LOG: log,
  }
  for (const dieAfter of [killAfter, 0]) {
    const command = [...control, ...args, String(dieAfter)]
    const child = spawn(process.execPath, command, { env, stdio: 'inherit' })
    const code = await exited(child)
    if (dieAfter === 0 && code !== 0) throw new Error(`the recorded process ended with ${code}`)
  }
  return { scratch, folder, operations: readRecording(log) }
}

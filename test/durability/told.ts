import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { exited } from '../support/desk-process.ts'
import { waitFor } from '../wait-for.ts'

export const workerFile = fileURLToPath(new URL('told-worker.js', import.meta.url))

/** A process that is told what to do line by line, and everything it said. */
export interface Told {
  readonly child: ChildProcess
  readonly pid: number
  readonly said: readonly string[]
  tell(command: string): void
  /** Waits until so many of its lines match, and gives the last of them. */
  hears(pattern: RegExp, count?: number): Promise<RegExpExecArray>
  /** Ends its stdin, and so the process. */
  leave(): Promise<void>
  kill(): Promise<void>
}

/** Starts the told worker on a journal. */
export function startTold(journal: string): Told {
  return listenTo(
    spawn(process.execPath, [workerFile, journal], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
}

export function listenTo(child: ChildProcess): Told {
  const said: string[] = []
  const { stdin, stdout, pid } = child
  if (stdin === null || stdout === null || pid === undefined) throw new Error('no such process')
  // One that was killed hears nothing any more.
  stdin.on('error', () => undefined)
  createInterface({ input: stdout }).on('line', (line) => said.push(line))
  const ended = exited(child)
  return {
    child,
    pid,
    said,
    tell: (command) => void stdin.write(`${command}\n`),
    hears: (pattern, count = 1) => {
      const matches = () => said.map((line) => pattern.exec(line))
      const fact = () => matches().filter((match) => match !== null)[count - 1]
      return waitFor(fact, { what: `${count} lines like ${String(pattern)}` })
    },
    async leave() {
      stdin.end()
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The state that the kernel names for a process: `T` is stopped, `Z` gone and not yet reaped. */
export function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
}

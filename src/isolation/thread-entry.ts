// The code that an actor's own thread begins with.
import { parentPort, workerData } from 'node:worker_threads'
import { createRealClock } from '../kernel/clock.ts'
import { AmbitError, toErrorRecord } from '../kernel/errors.ts'
import { watchStrays } from '../kernel/stray-errors.ts'
import { createInterpreter } from '../logic/interpreted.ts'
import { isLogic } from '../logic/logic-kinds.ts'
import { BEATS, type Report, type Request, type ThreadTask } from './protocol.ts'
import { Resident } from './resident.ts'

const task = workerData as ThreadTask
const report = (what: Report) => parentPort?.postMessage(what)

async function loadLogic() {
  const named = `inWorker("${task.module}")`
  let module: Record<string, unknown>
  try {
    module = (await import(task.module)) as Record<string, unknown>
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const message = `${named} cannot be loaded in a thread: ${why}. Name a module that node itself can load.`
    throw new AmbitError('AMBIT_WORKER_INVALID', message, { cause: error })
  }
  if (!Object.hasOwn(module, task.export)) {
    const known = Object.keys(module).join(', ') || 'nothing'
    const message = `${named} expects the export "${task.export}"; the module exports ${known}. Export the machine.`
    throw new AmbitError('AMBIT_WORKER_INVALID', message)
  }
  const logic = module[task.export]
  if (isLogic(logic)) return logic
  const message =
    `${named} expects the export "${task.export}" to be a machine or another XState logic, ` +
    `got ${logic === null ? 'null' : typeof logic}. Export the machine itself.`
  throw new AmbitError('AMBIT_WORKER_INVALID', message)
}

function beat(): void {
  const clock = createRealClock()
  Atomics.add(new Int32Array(task.shared), BEATS, 1)
  clock.wakeAt(clock.now() + task.beatMs, beat)
}

try {
  const engine = createInterpreter(await loadLogic(), { governed: task.governed })
  const resident = new Resident(task, engine, report)
  watchStrays()
  beat()
  report({ kind: 'ready', id: engine.id, hash: engine.hash })
  parentPort?.on('message', (request: Request) => resident.take(request))
} catch (error) {
  report({ kind: 'broken', error: toErrorRecord(error) })
}

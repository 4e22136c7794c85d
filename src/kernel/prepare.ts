import { parseAddress } from './address.ts'
import { AmbitError, toErrorRecord, type ErrorRecord } from './errors.ts'
import { assertJson, type Json } from './json.ts'
import { isKernelType, isReservedType, type Event, type ReplyTo } from './message.ts'
import type { AskRequest, Command } from './ports/engine.ts'
import type { Turn } from './turn.ts'

/** A command that has been checked whole: carrying it out cannot fail. */
export type Prepared =
  | Exclude<Command, { kind: 'invoke' }>
  | (Omit<Extract<Command, { kind: 'invoke' }>, 'input'> & {
      readonly input: Json
      readonly request?: AskRequest
      /** Why it was refused before it was asked. */
      readonly refused?: ErrorRecord
    })

/** Checks what a step wants done, still inside the step: a throw here means that nothing happened. */
export function prepare(
  commands: readonly Command[],
  privileged: boolean,
  turn: Turn,
): readonly Prepared[] {
  if (commands.length === 0) return NOTHING
  return commands.map((command) => prepareOne(command, privileged, turn))
}

const NOTHING: readonly Prepared[] = []

/** `isKept`: whether what is asked for is stored, and so must be JSON. */
export function prepareOne(
  command: Command,
  privileged: boolean,
  turn: Turn,
  isKept = true,
): Prepared {
  switch (command.kind) {
    case 'tell':
      refuseReserved(command.event, privileged)
      checkTarget(command.to)
      assertJson(command.event, `event ${command.event.type}`)
      return command
    case 'reply':
      refuseReserved(command.event, privileged)
      checkReplyTo(command.to)
      assertJson(command.event, `event ${command.event.type}`)
      return command
    case 'schedule':
      checkTime(command.delayMs, `the delay of "${command.id}"`)
      if (isKept) assertJson(command.event, `event ${command.event.type}`)
      return command
    case 'put':
      checkRow(command.key, command.value)
      return command
    case 'think':
      assertJson(command.thought, `thought ${command.thought.kind}`)
      return command
    case 'defer':
      checkDeferrable(turn.message.type)
      return command
    case 'invoke':
      return prepareInvoke(command, privileged, turn, isKept)
    case 'monitor':
    case 'demonitor':
      checkTarget(command.target)
      return command
    case 'release':
    case 'cancel':
    case 'cancelUnder':
    case 'observe':
    case 'log':
    case 'ready':
    case 'ignore':
      return command
    case 'supervise':
      if (privileged) return command
      throw new AmbitError('AMBIT_EVENT_REFUSED', 'Only a supervisor gives orders for children.')
  }
}

function prepareInvoke(
  command: Extract<Command, { kind: 'invoke' }>,
  privileged: boolean,
  turn: Turn,
  isKept: boolean,
): Prepared {
  const input = (isKept ? (command.input ?? null) : command.input) as Json
  if (isKept) assertJson(input, `input of ${command.src}`)
  const { logic } = command
  if (logic.kind === 'effect') return { ...command, input }
  try {
    const request = logic.request(input as never, turn)
    checkRequest(request, privileged || logic.governs !== undefined)
    return { ...command, input, request }
  } catch (error) {
    // What was asked for is wrong, not the machine: it hears so as it would hear any refusal.
    return { ...command, input, refused: toErrorRecord(error) }
  }
}

function checkRequest({ to, event, withdraw, timeoutMs }: AskRequest, privileged: boolean): void {
  checkTarget(to)
  for (const each of withdraw === undefined ? [event] : [event, withdraw]) {
    refuseReserved(each, privileged)
    assertJson(each, `event ${each.type}`)
  }
  if (timeoutMs !== undefined) checkTime(timeoutMs, 'the timeout of a question')
}

function checkDeferrable(type: string): void {
  if (!isKernelType(type)) return
  throw new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `defer() keeps messages that others sent; "${type}" is the actor's own. ` +
      'Handle ends and delayed events in each state, and do not defer "*" where they come.',
  )
}

function checkReplyTo(to: ReplyTo | undefined): void {
  if (to === undefined) return
  const { address, invocation } = to as Partial<ReplyTo>
  if (typeof address === 'string' && typeof invocation === 'string') return
  throw invalid('the receiver of a reply', 'a `replyTo` as it came with a message')
}

function checkRow(key: string, value: Json): void {
  if (typeof key !== 'string' || key === '' || key.startsWith('~')) {
    throw invalid(`the row key ${JSON.stringify(key)}`, 'a text that does not start with "~"')
  }
  if ((value as unknown) === undefined)
    throw invalid(`the value of row "${key}"`, 'JSON; null deletes the row')
  assertJson(value, `row ${key}`)
}

function checkTime(ms: number, what: string): void {
  if (!Number.isFinite(ms)) throw invalid(`${what}, which is ${ms}`, 'a number of milliseconds')
}

function invalid(what: string, expected: string): AmbitError {
  return new AmbitError('AMBIT_EVENT_REFUSED', `Refused ${what}: expected ${expected}.`)
}

function checkTarget(to: string): void {
  if (to.startsWith('/')) parseAddress(to)
}

function refuseReserved(event: Event, privileged: boolean): void {
  if (!isReservedType(event.type)) return
  if (privileged && event.type.startsWith('ambit.')) return
  throw new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `A machine may not send "${event.type}": types starting with "xstate." or "ambit." belong to the runtime. ` +
      'Rename the event.',
  )
}

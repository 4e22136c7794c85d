import { parseAddress } from './address.ts'
import { AmbitError } from './errors.ts'
import { assertJson, type Json } from './json.ts'
import { isReservedType, type Event } from './message.ts'
import type { AskRequest, Command } from './ports/engine.ts'
import type { Turn } from './turn.ts'

/** A command that has been checked whole: carrying it out cannot fail. */
export type Prepared =
  | Exclude<Command, { kind: 'invoke' }>
  | (Omit<Extract<Command, { kind: 'invoke' }>, 'input'> & {
      readonly input: Json
      readonly request?: AskRequest
    })

/** Checks what a step wants done, still inside the step: a throw here means that nothing happened. */
export function prepare(
  commands: readonly Command[],
  privileged: boolean,
  turn: Turn,
): readonly Prepared[] {
  return commands.map((command): Prepared => {
    switch (command.kind) {
      case 'tell':
        refuseReserved(command.event, privileged)
        checkTarget(command.to)
        assertJson(command.event, `event ${command.event.type}`)
        return command
      case 'reply':
      case 'schedule':
        assertJson(command.event, `event ${command.event.type}`)
        return command
      case 'put':
        assertJson(command.value, `row ${command.key}`)
        return command
      case 'think':
        assertJson(command.thought, `thought ${command.thought.kind}`)
        return command
      case 'invoke':
        return prepareInvoke(command, turn)
      case 'release':
      case 'cancel':
      case 'observe':
      case 'log':
        return command
    }
  })
}

function prepareInvoke(command: Extract<Command, { kind: 'invoke' }>, turn: Turn): Prepared {
  const input = (command.input ?? null) as Json
  assertJson(input, `input of ${command.src}`)
  if (command.logic.kind === 'effect') return { ...command, input }
  const request = command.logic.request(input as never, turn)
  checkTarget(request.to)
  assertJson(request.event, `event ${request.event.type}`)
  return { ...command, input, request }
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

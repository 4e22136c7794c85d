import type { Cell } from './cell.ts'
import { AmbitError } from './errors.ts'
import { findNonJson } from './json.ts'
import { kernelTypes, type Event } from './message.ts'

/** An event that what runs beside an actor's own steps has for one of its members. */
export function postOwn(cell: Cell, target: string, event: Event): void {
  const finding = cell.isDirect ? undefined : findNonJson(event, 'event')
  if (finding !== undefined || typeof (event as Event | undefined)?.type !== 'string') {
    const what = finding ?? 'it has no "type"'
    const error = new AmbitError('AMBIT_EVENT_REFUSED', `Expected an event, but ${what}.`)
    cell.warn(error, 'not taken')
    return
  }
  cell.host.postTo(cell, { type: kernelTypes.post, target, event }, 'user')
}

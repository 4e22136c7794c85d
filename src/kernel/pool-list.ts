import { childId } from './address.ts'
import type { Cell } from './cell.ts'
import type { Branch } from './tree.ts'

/** What OTP's count_children says of a pool. */
export function countsOf(members: readonly Cell[]): object {
  const active = members.filter(({ life }) => life === 'running').length
  return { specs: 1, active, asleep: 0, supervisors: 0, workers: members.length }
}

/** What OTP's which_children says of a pool, the newest first. */
export function childrenOf({ spec }: Branch, members: readonly Cell[]): readonly object[] {
  const { restart, significant } = spec.kind === 'pool' ? spec.member : spec
  return [...members].reverse().map(({ address, life, incarnation }) => ({
    id: childId(address),
    status: STATUS[life],
    type: 'worker',
    restart,
    significant,
    incarnation,
  }))
}

const STATUS = {
  loading: 'starting',
  running: 'running',
  suspended: 'restarting',
  asleep: 'asleep',
  quarantined: 'down',
  ended: 'down',
} as const

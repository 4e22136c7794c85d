import type { ChildSpec } from 'ambit'

export const STEPS: number
export const relays: readonly string[]
export function pathOf(id: string): readonly string[]
export function rowOf(id: string, step: number): string
export function relayRoot(): ChildSpec

import { readFileSync } from 'node:fs'

const HEADER_BYTES = 24

/** What a process did to a file or a name, as `recorder.c` wrote it down. */
export type Operation =
  | {
      readonly kind: 'open'
      readonly inode: bigint
      readonly name: string
      readonly isEmptied: boolean
      readonly isFolder: boolean
    }
  | { readonly kind: 'write'; readonly inode: bigint; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly inode: bigint; readonly to: number }
  | { readonly kind: 'sync'; readonly inode: bigint }
  | { readonly kind: 'unlink' | 'mkdir'; readonly name: string }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }

/** Reads what a recorder wrote, in the order in which it happened. */
export function readRecording(file: string): readonly Operation[] {
  const log = readFileSync(file)
  const operations: Operation[] = []
  for (let at = 0; at < log.length;) {
    const end = at + HEADER_BYTES + log.readUInt32LE(at + 4)
    operations.push(operationOf(log.subarray(at, at + HEADER_BYTES), log.subarray(at + 24, end)))
    at = end
  }
  return operations
}

function operationOf(header: Buffer, payload: Buffer): Operation {
  const inode = header.readBigUInt64LE(8)
  const offset = Number(header.readBigUInt64LE(16))
  const name = () => payload.toString()
  switch (header.readUInt32LE(0)) {
    case 1: {
      const [isEmptied, isFolder] = [(offset & 1) !== 0, (offset & 2) !== 0]
      return { kind: 'open', inode, name: name(), isEmptied, isFolder }
    }
    case 2:
      return { kind: 'write', inode, at: offset, bytes: payload }
    case 3:
      return { kind: 'truncate', inode, to: offset }
    case 4:
      return { kind: 'sync', inode }
    case 5:
      return { kind: 'unlink', name: name() }
    case 6:
      return { kind: 'rename', name: name().slice(0, offset), to: name().slice(offset) }
    case 7:
      return { kind: 'mkdir', name: name() }
    default:
      throw new Error(`the recording is not one of recorder.c: operation ${header.readUInt32LE(0)}`)
  }
}

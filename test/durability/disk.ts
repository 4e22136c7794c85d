import { posix } from 'node:path'
import type { Operation } from './recording.ts'

const SECTOR_BYTES = 512

/** What becomes, at a power cut, of writes that were not flushed. */
export const fates = ['none', 'all', 'some', 'torn'] as const
export type Fate = (typeof fates)[number]

/**
 * What becomes of names that were made or removed. `strict`: only a flush of the folder keeps them, as POSIX has it.
 * `journaled`: a flush of anything keeps all that was before, as ext4 does it. `some`: others are kept, too.
 */
export const nameFates = ['strict', 'journaled', 'some', 'all'] as const
export type NameFate = (typeof nameFates)[number]

export interface Cut {
  readonly fate: Fate
  readonly nameFate: NameFate
  readonly random: () => number
}

/** Files by name, and folders, which have no bytes. */
export type Image = ReadonlyMap<string, Buffer | 'folder'>

type Change =
  | { readonly at: number; readonly bytes: Buffer }
  | { readonly at: number; readonly bytes: undefined }

interface NameChange {
  readonly names: readonly (readonly [name: string, what: File | 'folder' | undefined])[]
  readonly folder: string
  isJournaled: boolean
}

/** A disk with a cache: what was flushed is safe, of the rest a power cut takes what it likes. */
export class Disk {
  private readonly files = new Map<bigint, File>()
  private readonly folders = new Map<bigint, string>()
  private readonly names = new Map<string, File | 'folder'>()
  private readonly safeNames = new Map<string, File | 'folder'>()
  private nameChanges: NameChange[] = []

  apply(operation: Operation): void {
    switch (operation.kind) {
      case 'open':
        return this.open(operation)
      case 'write':
        return this.fileOf(operation.inode).change(operation)
      case 'truncate':
        return this.fileOf(operation.inode).change({ at: operation.to, bytes: undefined })
      case 'sync':
        return this.flush(operation.inode)
      case 'mkdir':
        return this.rename([[operation.name, 'folder']])
      case 'unlink':
        return this.rename([[operation.name, undefined]])
      case 'rename':
        return this.rename([
          [operation.to, this.names.get(operation.name)],
          [operation.name, undefined],
        ])
    }
  }

  /** What everybody sees as long as there is power. */
  live(): Image {
    return imageOf(this.names, (file) => file.bytes(() => true))
  }

  /** What is found after a power cut now. */
  cut({ fate, nameFate, random }: Cut): Image {
    const isKept = (change: NameChange) =>
      nameFate === 'all' ||
      (nameFate !== 'strict' && change.isJournaled) ||
      (nameFate === 'some' && random() < 0.5)
    const names = new Map(this.safeNames)
    for (const change of this.nameChanges) if (isKept(change)) rename(names, change.names)
    const chooses = { none: () => false, all: () => true, some: () => random() < 0.5 }
    return imageOf(names, (file) =>
      fate === 'torn' ? file.torn(random) : file.bytes(chooses[fate]),
    )
  }

  nameOf(inode: bigint): string | undefined {
    const file = this.files.get(inode)
    return [...this.names].find(([, what]) => what === file)?.[0]
  }

  private open({ inode, name, isEmptied, isFolder }: Operation & { kind: 'open' }): void {
    if (isFolder) {
      this.folders.set(inode, name)
      return
    }
    if (!this.names.has(name)) {
      const file = new File()
      this.files.set(inode, file)
      this.rename([[name, file]])
    }
    if (this.names.get(name) !== this.fileOf(inode))
      throw new Error(`the recorder missed how "${name}" came to be`)
    if (isEmptied) this.fileOf(inode).change({ at: 0, bytes: undefined })
  }

  private flush(inode: bigint): void {
    for (const change of this.nameChanges) change.isJournaled = true
    const folder = this.folders.get(inode)
    if (folder === undefined) return this.fileOf(inode).flush()
    const isInside = (change: NameChange) => change.folder === folder
    for (const { names } of this.nameChanges.filter(isInside)) rename(this.safeNames, names)
    this.nameChanges = this.nameChanges.filter((change) => !isInside(change))
  }

  private rename(names: NameChange['names']): void {
    const folder = posix.dirname(names[0]?.[0] ?? '').replace(/^\.$/, '')
    this.nameChanges.push({ names, folder, isJournaled: false })
    rename(this.names, names)
  }

  private fileOf(inode: bigint): File {
    const file = this.files.get(inode)
    if (file === undefined) throw new Error(`the recorder missed the opening of file ${inode}`)
    return file
  }
}

/** The bytes that are safe, and the changes since in their order. */
class File {
  private safe = Buffer.alloc(0)
  private length = 0
  private changes: Change[] = []

  change(change: Change): void {
    this.changes.push(change)
  }

  flush(): void {
    for (const change of this.changes) this.make(change)
    this.changes = []
  }

  bytes(isKept: (change: Change) => boolean): Buffer {
    return this.with(this.changes.filter(isKept))
  }

  /** Some of the changes, one of them only with some of its sectors. */
  torn(random: () => number): Buffer {
    const victim = Math.floor(random() * this.changes.length)
    return this.with(
      this.changes.flatMap((change, i) => {
        if (i === victim) return sectorsOf(change).filter(() => random() < 0.5)
        return random() < 0.5 ? [change] : []
      }),
    )
  }

  private with(changes: readonly Change[]): Buffer {
    const file = new File()
    file.safe = Buffer.from(this.safe.subarray(0, this.length))
    file.length = this.length
    for (const change of changes) file.make(change)
    return file.safe.subarray(0, file.length)
  }

  private make({ at, bytes }: Change): void {
    const end = bytes === undefined ? at : Math.max(this.length, at + bytes.length)
    if (end > this.safe.length) {
      const larger = Buffer.alloc(2 * end)
      this.safe.copy(larger, 0, 0, this.length)
      this.safe = larger
    }
    // What lies beyond the end is zero once the file is longer again.
    if (end < this.length) this.safe.fill(0, end, this.length)
    bytes?.copy(this.safe, at)
    this.length = end
  }
}

function sectorsOf(change: Change): Change[] {
  const { at, bytes } = change
  if (bytes === undefined) return [change]
  const sectors: Change[] = []
  for (let from = 0; from < bytes.length;) {
    const to = from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES)
    sectors.push({ at: at + from, bytes: bytes.subarray(from, to) })
    from = to
  }
  return sectors
}

function rename(names: Map<string, File | 'folder'>, changes: NameChange['names']): void {
  for (const [name, what] of changes) {
    if (what === undefined) names.delete(name)
    else names.set(name, what)
  }
}

/** A name in a folder that is not there is not there either. */
function imageOf(
  names: ReadonlyMap<string, File | 'folder'>,
  bytesOf: (file: File) => Buffer,
): Image {
  const isReachable = (name: string): boolean => {
    const folder = posix.dirname(name)
    return folder === '.' || (names.get(folder) === 'folder' && isReachable(folder))
  }
  return new Map(
    [...names]
      // SQLite's shared memory is a map, which no recorder sees; it is made anew.
      .filter(([name]) => isReachable(name) && !name.endsWith('-shm'))
      .map(([name, what]) => [name, what === 'folder' ? what : bytesOf(what)]),
  )
}

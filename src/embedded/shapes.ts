import type { Json } from '../kernel/json.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'

/** Shapes that a journal keeps; what has another one is stored as plain JSON. */
export const SHAPES_MAX = 4096
/** A shape is kept once it has been seen so often. */
export const SHAPE_SEEN_MIN = 8
/** Values that have more leaves than this are stored as plain JSON. */
export const SHAPE_LEAVES_MAX = 256
const CANDIDATES_MAX = 4096

/** What stands under this key at the top belongs to the shape: all actors of one machine have the same. */
const CONSTANT = 'machine'

/**
 * Stores what many values have in common once. Snapshots and rows of one kind have the same keys, and the keys are
 * more than half of their text: a text here is the number of the shape and the values in it, such as
 * `s12["waiting",3]`. JSON of any other shape stays as it is.
 */
export class Shapes {
  private readonly ids = new Map<string, number>()
  private readonly skeletons = new Map<number, Json>()
  private readonly seen = new Map<string, number>()
  private unsaved: number[] = []
  private last = 0
  private readonly insert: SqliteStatement | undefined
  private readonly select: SqliteStatement

  /** `mayLearn`: whether this owns the journal, and so may add to the shapes. */
  constructor(database: SqliteDatabase, mayLearn: boolean) {
    this.select = database.prepare('SELECT id, skeleton FROM shape')
    this.insert = mayLearn ? database.prepare('INSERT INTO shape VALUES (?, ?)') : undefined
    this.load()
  }

  textOf(value: Json): string {
    const leaves: Leaf[] = []
    const signature = signatureOf(value, leaves)
    if (signature === undefined) return JSON.stringify(value)
    const id = this.ids.get(signature) ?? this.learn(signature, value)
    return id === undefined ? JSON.stringify(value) : `s${id}${JSON.stringify(leaves)}`
  }

  valueOf(text: string): Json {
    if (!text.startsWith('s')) return JSON.parse(text) as Json
    const cut = text.indexOf('[')
    const id = Number(text.slice(1, cut))
    // Another process may have learnt it since.
    if (!this.skeletons.has(id)) this.load()
    const skeleton = this.skeletons.get(id)
    if (skeleton === undefined) throw new Error(`shape ${id} is not in this journal`)
    return filled(skeleton, (JSON.parse(text.slice(cut)) as Leaf[]).values())
  }

  /** Writes what was learnt; to be called in each transaction that stored texts, before its end. */
  save(): void {
    for (const id of this.unsaved)
      this.insert?.run(id, JSON.stringify(this.skeletons.get(id) ?? null))
  }

  committed(): void {
    this.unsaved = []
  }

  private learn(signature: string, value: Json): number | undefined {
    if (this.insert === undefined || this.ids.size >= SHAPES_MAX) return undefined
    if (this.seen.size >= CANDIDATES_MAX) this.seen.clear()
    const count = (this.seen.get(signature) ?? 0) + 1
    this.seen.set(signature, count)
    if (count < SHAPE_SEEN_MIN) return undefined
    this.seen.delete(signature)
    this.add(++this.last, signature, skeletonOf(value))
    this.unsaved.push(this.last)
    return this.last
  }

  private load(): void {
    for (const row of this.select.all() as { id: number; skeleton: string }[]) {
      const skeleton = JSON.parse(row.skeleton) as Json
      this.add(row.id, signatureOf(skeleton, []) ?? '', skeleton)
      this.last = Math.max(this.last, row.id)
    }
  }

  private add(id: number, signature: string, skeleton: Json): void {
    this.ids.set(signature, id)
    this.skeletons.set(id, skeleton)
  }
}

type Leaf = string | number | boolean | null

// Characters that no key of a shape has, so that two shapes never have one signature.
const [OPEN, CLOSE, LIST, KEY, LEAF] = ['\u0001', '\u0002', '\u0003', '\u0004', '\u0005'] as const
const RESERVED = /[\u0000-\u001f]|^__proto__$/

/** Names the shape of a value and collects what stands in it; undefined when it has none that is worth naming. */
function signatureOf(value: Json, leaves: Leaf[]): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const signature = signObject(value as Readonly<Record<string, Json>>, leaves, true)
  return signature === undefined || leaves.length > SHAPE_LEAVES_MAX ? undefined : signature
}

function sign(value: Json, leaves: Leaf[]): string | undefined {
  if (typeof value !== 'object' || value === null) {
    leaves.push(value)
    return LEAF
  }
  if (!Array.isArray(value)) return signObject(value as Readonly<Record<string, Json>>, leaves)
  let signature: string = LIST
  for (const item of value as readonly Json[]) {
    const inner = sign(item, leaves)
    if (inner === undefined) return undefined
    signature += inner
  }
  return signature + CLOSE
}

function signObject(
  value: Readonly<Record<string, Json | undefined>>,
  leaves: Leaf[],
  isTop = false,
): string | undefined {
  let signature: string = OPEN
  for (const key in value) {
    const inner = value[key]
    if (inner === undefined) continue
    if (RESERVED.test(key)) return undefined
    const signed = isTop && key === CONSTANT ? JSON.stringify(inner) : sign(inner, leaves)
    if (signed === undefined) return undefined
    signature += key + KEY + signed
  }
  return signature + CLOSE
}

/** The value with every leaf emptied, but for what belongs to the shape. */
function skeletonOf(value: Json, isTop = true): Json {
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) return value.map((item: Json) => skeletonOf(item, false))
  const entries = Object.entries(value as Readonly<Record<string, Json | undefined>>)
  const kept = entries.filter((entry): entry is [string, Json] => entry[1] !== undefined)
  return Object.fromEntries(
    kept.map(([key, inner]) => [key, isTop && key === CONSTANT ? inner : skeletonOf(inner, false)]),
  )
}

function filled(skeleton: Json, leaves: Iterator<Leaf>, isTop = true): Json {
  if (typeof skeleton !== 'object' || skeleton === null) return leaves.next().value as Json
  if (Array.isArray(skeleton)) return skeleton.map((item: Json) => filled(item, leaves, false))
  const value: Record<string, Json> = {}
  for (const [key, inner] of Object.entries(skeleton as Readonly<Record<string, Json>>))
    value[key] = isTop && key === CONSTANT ? inner : filled(inner, leaves, false)
  return value
}

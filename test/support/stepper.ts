import type { Json } from '../../src/kernel/json.ts'
import type { Event, Headers, Message } from '../../src/kernel/message.ts'
import type { Command, End, Engine, Incoming, Place, Step } from '../../src/kernel/ports/engine.ts'
import { turnRandom, withTurn, type Turn } from '../../src/kernel/turn.ts'

export const STEPPER_START = Date.UTC(2026, 0, 5, 12)

type Scheduled = Extract<Command, { kind: 'schedule' }>
type Invoked = Extract<Command, { kind: 'invoke' }>

/** Steps one engine by hand: what it wants done is kept here, and nothing is done by itself. */
export class Stepper implements Place {
  readonly isDirect = false
  readonly isInTurn = false
  readonly isByHand = true
  readonly authority: readonly Json[] = []
  readonly outcome = undefined
  readonly home = this
  slot: unknown
  readonly rows = new Map<string, Json>()
  readonly scheduled = new Map<string, Scheduled>()
  readonly invoked = new Map<string, Invoked>()
  now = STEPPER_START
  systemId = 'the-system'
  address = '/tested'
  state: unknown
  status: Step['status'] = 'active'
  output: unknown
  commands: readonly Command[] = []
  readonly posted: Incoming[] = []
  private seq = 0
  private readonly engine: Engine
  private readonly storing: boolean

  /** With `storing`, the state goes through the journal's own form between any two steps. */
  constructor(engine: Engine, options: { readonly storing?: boolean } = {}) {
    this.engine = engine
    this.storing = options.storing ?? false
  }

  get value(): Json {
    return this.engine.describe(this.state)
  }

  start(input?: unknown): this {
    return this.take({ type: 'ambit.start' }, {}, () => this.engine.start(input, this))
  }

  send(event: Event, headers: Headers = {}): this {
    return this.deliver({ target: '', event }, headers)
  }

  deliver(incoming: Incoming, headers: Headers = {}): this {
    return this.take(incoming.event, headers, () => this.engine.step(this.state, incoming, this))
  }

  /** Lets a delayed event fall due. */
  fire(id: string): this {
    const [key, due] = [...this.scheduled].find(([, { id: each }]) => each === id) ?? []
    if (key === undefined || due === undefined) throw new Error(`nothing is scheduled as ${id}`)
    this.scheduled.delete(key)
    return this.deliver({ target: due.target, event: due.event })
  }

  /** Ends what was invoked at a path, as the kernel does. */
  endAt(path: string, end: { readonly output: unknown } | { readonly error: unknown }): this {
    if (!this.invoked.delete(path)) throw new Error(`nothing is invoked at ${path}`)
    const ended = 'error' in end ? { ok: false, ...end } : { ok: true, ...end }
    return this.deliver({ target: path, event: { type: 'ended' }, end: ended as End })
  }

  /** The events of one kind of command, in order. */
  told(kind: 'tell' | 'reply'): Event[] {
    return this.commands.flatMap((command) => (command.kind === kind ? [command.event] : []))
  }

  // A stepped machine is no live actor: what runs beside its steps has nowhere to go.

  perform(): void {
    throw new Error('nothing is performed at once here')
  }

  post(target: string, event: Event): void {
    this.posted.push({ target, event })
  }

  end(): void {
    throw new Error('nothing runs beside the steps here')
  }

  warn(error: unknown): void {
    throw error
  }

  private take(event: Event, headers: Headers, step: () => Step): this {
    const turn = this.turnOf(event, headers)
    const done = withTurn(turn, step)
    this.state = this.storing ? this.stored(done.state) : done.state
    this.status = done.status
    this.output = done.output
    this.commands = done.commands
    for (const command of done.commands) this.apply(command)
    return this
  }

  private stored(state: unknown): unknown {
    const text = JSON.stringify(this.engine.persist(state))
    return this.engine.restore(JSON.parse(text) as Json, this)
  }

  private apply(command: Command): void {
    if (command.kind === 'put') {
      if (command.value === null) this.rows.delete(command.key)
      else this.rows.set(command.key, command.value)
    } else if (command.kind === 'schedule') {
      this.scheduled.set(`${command.owner}|${command.id}`, command)
    } else if (command.kind === 'cancel') {
      this.scheduled.delete(`${command.owner}|${command.id}`)
    } else if (command.kind === 'invoke') {
      this.invoked.set(command.path, command)
    } else if (command.kind === 'release') {
      this.invoked.delete(command.path)
    }
  }

  private turnOf(event: Event, headers: Headers): Turn {
    const seq = ++this.seq
    const message: Message = {
      id: `m-${seq}`,
      type: event.type,
      to: this.address,
      body: event,
      headers,
    }
    return {
      now: this.now,
      systemId: this.systemId,
      address: this.address,
      generation: 1,
      seq,
      message,
      authority: [],
      rows: this.rows,
      random: turnRandom(message.id, seq),
      tell: () => undefined,
      reply: () => undefined,
    }
  }
}

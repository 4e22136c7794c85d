import type { Json } from '../kernel/json.ts'
import type { Command, Outcome, Place } from '../kernel/ports/engine.ts'
import { Habitat } from '../logic/refs.ts'
import type { CellState } from '../logic/cell-state.ts'

/** The place of an actor whose state is in another thread: for refs and observers in this one. */
export class Mirror implements Place {
  readonly isDirect = false
  readonly isByHand = false
  readonly isInTurn = false
  slot: unknown
  private readonly place: Place
  private readonly here: (state: unknown) => unknown

  constructor(place: Place, here: (state: unknown) => unknown) {
    this.place = place
    this.here = here
  }

  get address(): string {
    return this.place.address
  }

  get authority(): readonly Json[] {
    return this.place.authority
  }

  get rows(): ReadonlyMap<string, Json> {
    return this.place.rows
  }

  get state(): unknown {
    return this.here(this.place.state)
  }

  get outcome(): Outcome | undefined {
    return this.place.outcome
  }

  get home(): unknown {
    return this.place.home
  }

  perform(): void {
    // Nothing is stepped here.
  }

  post(...event: Parameters<Place['post']>): void {
    this.place.post(...event)
  }

  end(...end: Parameters<Place['end']>): void {
    this.place.end(...end)
  }

  warn(error: unknown, what: string): void {
    this.place.warn(error, what)
  }

  /** Adds to what a step wants done that its observers hear of it. */
  tell(state: { readonly here: unknown }, commands: Command[]): void {
    const habitat = this.slot
    if (!(habitat instanceof Habitat) || !habitat.isWatched('')) return
    const run = () => habitat.next('', (state.here as CellState).root)
    commands.push({ kind: 'observe', name: 'observer', run })
  }
}

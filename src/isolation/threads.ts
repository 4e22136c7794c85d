import type { ActorThread } from './thread.ts'

/** Threads of actors in one process. Above it those end that idle longest; when all are busy, steps wait. */
export const THREADS_MAX = 64

/** Gives actors room for their threads. An actor's state is with the main thread, so an idle thread is no loss. */
export class Threads {
  private readonly max: number
  /** The one that was used last is the last. */
  private readonly open = new Set<ActorThread>()
  private reserved = 0
  private readonly waiting: (() => void)[] = []

  constructor(max = THREADS_MAX) {
    this.max = max
  }

  get size(): number {
    return this.open.size + this.reserved
  }

  /** Starts a thread once there is room for it. */
  async start(make: () => ActorThread): Promise<ActorThread> {
    await this.reserve()
    try {
      const thread = make()
      this.open.add(thread)
      return thread
    } catch (error) {
      this.waiting.shift()?.()
      throw error
    } finally {
      this.reserved--
    }
  }

  used(thread: ActorThread): void {
    if (this.open.delete(thread)) this.open.add(thread)
  }

  /** One is idle, or has ended: somebody may go on. */
  freed(thread: ActorThread, isOver: boolean): void {
    if (isOver) this.open.delete(thread)
    this.waiting.shift()?.()
  }

  private async reserve(): Promise<void> {
    while (this.size >= this.max) {
      const idle = [...this.open].find((thread) => thread.isIdle)
      if (idle === undefined) await new Promise<void>((resolve) => this.waiting.push(resolve))
      else idle.close()
    }
    this.reserved++
  }
}

export const threads = new Threads()

/** Every code an `AmbitError` can carry, with what it means. Codes are stable; messages may improve. */
export const errorCodes = {
  AMBIT_ACTION_INVALID: 'An action definition lacks something, or contradicts itself.',
  AMBIT_ACTION_NAME_TAKEN: 'Two different action definitions share one name.',
  AMBIT_ADDRESS_INVALID: 'An address is not of the form /name/name.',
  AMBIT_AMOUNT_INVALID: 'An amount of money is not a plain decimal with an ISO 4217 currency.',
  AMBIT_ARBITRARY_IMPOSSIBLE: 'A generator of test values cannot make what its schema accepts.',
  AMBIT_ASK_CIRCLE: 'Actors wait for the answers of each other in a circle.',
  AMBIT_ASK_IGNORED: 'An asked actor takes no notice of the question in its state.',
  AMBIT_ASK_TIMEOUT: 'An asked actor did not answer before the deadline.',
  AMBIT_CHILD_ID_TAKEN: 'A supervisor already has a child of that id.',
  AMBIT_CIRCUIT_OPEN: 'A dependency failed too often: calls to it are not made for a while.',
  AMBIT_COMMIT_FAILED: 'The journal did not take a turn.',
  AMBIT_CONTEXT_NOT_JSON: 'A value that must be stored is not JSON.',
  AMBIT_DEATH_PACT: 'An actor ended that another was bound to, which did not handle it.',
  AMBIT_EFFECT_IN_DOUBT: 'An effect was started and nobody knows how it ended.',
  AMBIT_EFFECT_REFUSED: 'The target proved that an effect did not happen.',
  AMBIT_EFFECT_TIMEOUT: 'An effect did not end before its deadline.',
  AMBIT_ENVELOPE_INVALID: 'An envelope has an unknown field or a value outside the vocabulary.',
  AMBIT_ENVELOPE_MISSING: 'An agent invokes a governed action but nobody gave it an envelope.',
  AMBIT_EVENT_REFUSED: 'A message was refused at the border.',
  AMBIT_HEAP_LIMIT: 'An actor needed more memory than its thread may have.',
  AMBIT_JOURNAL_DAMAGED: 'The files of a journal are not what was written.',
  AMBIT_JOURNAL_FORMAT: 'A journal was written in a format this version cannot read.',
  AMBIT_JOURNAL_OWNED: 'Another process owns the journal.',
  AMBIT_KEY_CONFLICT: 'The same action key was proposed with other arguments.',
  AMBIT_LOOP_LIMIT: 'A machine or a chain of internal events did not come to rest.',
  AMBIT_LOOP_BLOCKED: 'Code kept the event loop of the process from going on.',
  AMBIT_MACHINE_CHANGED: 'A stored snapshot belongs to another structure of the machine.',
  AMBIT_NOT_AUTHORIZED: 'The effect runner was asked to act without a valid authorization.',
  AMBIT_NOT_IN_TURN: 'A turn accessor was used outside a turn.',
  AMBIT_NOT_SUPPORTED: 'A construct that this version does not run.',
  AMBIT_OUTPUT_INVALID: 'An effect answered with something its schema refuses.',
  AMBIT_OVERLOADED: 'An asked actor has no room for the question at this moment.',
  AMBIT_PARKED_TOO_OFTEN: 'An actor parks one message after the other.',
  AMBIT_RESTARTING:
    'An asked actor did not answer before the deadline: it failed, and waits for its next start.',
  AMBIT_SPEC_INVALID: 'A child spec lacks something, or contradicts itself.',
  AMBIT_SQLITE_MISSING: 'No SQLite driver could be loaded.',
  AMBIT_START_FAILED: 'A child could not be started.',
  AMBIT_STOPPED: 'The system or the actor has been stopped.',
  AMBIT_TEMPLATE_MISSING: 'A child is made of a template that its supervisor does not have.',
  AMBIT_THREAD_LOST: 'The thread of an actor has ended by itself.',
  AMBIT_TURN_TIMEOUT: 'A turn did not come to its end in time and was killed.',
  AMBIT_UNGOVERNED_EFFECT: 'An agent invokes something that is neither governed nor read-only.',
  AMBIT_USAGE: 'A command was called with a wrong option or value.',
  AMBIT_WORKER_INVALID: 'What an actor with a thread of its own names cannot be run in one.',
} as const

export type ErrorCode = keyof typeof errorCodes

/** The one error class of Ambit: a stable `code`, and a message that says expected, got, do this. */
export class AmbitError extends Error {
  readonly code: ErrorCode
  /** Set when the same call may succeed later, with nothing changed by this one. */
  declare readonly retryable?: true
  /** Milliseconds to wait before that, where they are known. */
  declare readonly retryAfterMs?: number

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, options)
    this.name = 'AmbitError'
    this.code = code
    if (options.retryAfterMs !== undefined)
      Object.assign(this, { retryable: true, retryAfterMs: options.retryAfterMs })
  }
}

/** An error as it is stored in a turn and delivered to a machine: plain JSON. */
export interface ErrorRecord {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly cause?: ErrorRecord
}

const CAUSE_DEPTH_MAX = 4

/** Turns whatever was thrown into plain JSON; keeps the causes, at most four deep. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  try {
    return recordOf(thrown, 0)
  } catch {
    // Whatever can be thrown can be made to throw again when it is looked at.
    return { name: 'Thrown', message: 'Something was thrown that cannot be read.' }
  }
}

function recordOf(thrown: unknown, depth: number): ErrorRecord {
  if (!(thrown instanceof Error)) {
    return isErrorRecord(thrown) ? thrown : { name: 'Thrown', message: describe(thrown) }
  }
  const code: unknown = 'code' in thrown ? thrown.code : undefined
  // An error's own name and message may be anything, whatever its class says.
  const { name, message } = thrown as { name: unknown; message: unknown }
  return {
    name: String(name),
    message: String(message),
    ...(typeof code === 'string' && { code }),
    ...(thrown.cause !== undefined &&
      depth < CAUSE_DEPTH_MAX && { cause: recordOf(thrown.cause, depth + 1) }),
  }
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { name?: unknown }).name === 'string' &&
    typeof (value as { message?: unknown }).message === 'string'
  )
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    // `undefined`, functions and symbols have no text in JSON, whatever the types say.
    const text = JSON.stringify(value) as unknown
    return typeof text === 'string' ? text : String(value)
  } catch {
    return String(value)
  }
}

import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger, secret } from 'ambit'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../support/desk-process.ts'

const input = z.object({
  order: z.string(),
  card: z.object({ number: secret(z.string()), holder: z.string() }),
  pin: secret(z.string()).optional(),
})

/** Logs to a file of its own and gives back the entries. */
function logged(level: 'debug' | 'warn', write: (logger: ReturnType<typeof createLogger>) => void) {
  const file = join(temporaryFolder(), 'operations.log')
  const descriptor = openSync(file, 'w')
  write(createLogger({ level, schemas: [input], descriptor }))
  closeSync(descriptor)
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('F7 an entry names the actor and hides what the schema marks as secret, at any depth', () => {
  const card = { number: '4111', holder: 'A. Smith' }
  const entries = logged('debug', (logger) => {
    const own = logger.child({ actor: '/desk' })
    own.info({ input: { order: 'o-1', card, pin: '1234' }, token: 't' }, 'proposed')
  })
  expect(entries).toMatchObject([
    {
      actor: '/desk',
      msg: 'proposed',
      token: '[secret]',
      input: { order: 'o-1', pin: '[secret]', card: { number: '[secret]', holder: 'A. Smith' } },
    },
  ])
})

test('F7 what is below the level is not written', () => {
  const entries = logged('warn', (logger) => {
    logger.info({}, 'everyday')
    logger.child({ actor: '/a' }).error({}, 'bad')
  })
  expect(entries.map(({ msg }) => msg)).toEqual(['bad'])
})

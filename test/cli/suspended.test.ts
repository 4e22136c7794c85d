import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem } from '../../actors/system.ts'
import { startApi } from '../../src/cli/api.ts'
import { leaveAddress, newToken, removeAddress } from '../../src/cli/connection.ts'
import { sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { runCli, temporaryFolder } from '../support/desk-process.ts'
import { waitFor } from '../wait-for.ts'

const bad = setup({}).createMachine({
  id: 'bad',
  on: {
    boom: {
      actions: assign(() => {
        throw new Error('cannot go on')
      }),
    },
  },
})

const who = ['--by', 'dana', '--why', 'mended']

test('C7 the command line lists what is suspended and resumes it while a system runs', async () => {
  const folder = temporaryFolder()
  const at = ['--journal', folder]
  const cli = (...args: string[]) => runCli('suspended', ...args, ...at)
  const team = supervisor({ id: 'team', intensity: 0, children: [actor('bad', bad)] })
  const root = supervisor({ periodMs: 1, children: [team] })
  const system = createSystem({ root, journal: sqliteJournal(folder) })
  await system.start()
  const token = newToken()
  const api = await startApi({ system, token, port: 0, routes: [], summary: () => null })
  leaveAddress(folder, { url: api.url, token, pid: process.pid })
  expect((await cli('list')).out).toContain('No authority is suspended.')
  system.ref('/team/bad').send({ type: 'boom' })
  await waitFor(() => system.suspended.length > 0, { what: 'the suspension' })
  await system.atRest()
  expect((await cli('list')).out).toMatch(/Z {2}\/team\n {4}cannot go on/)
  const listed = JSON.parse((await cli('list', '--json')).out) as object
  expect(listed).toMatchObject({ suspended: [{ address: '/team' }] })

  const elsewhere = await cli('resume', '/elsewhere', ...who)
  const says = 'Expected a suspended address (one of /team), got "/elsewhere"'
  expect([elsewhere.code, elsewhere.err]).toEqual([3, expect.stringContaining(says)])
  const resumed = await cli('resume', '/team', ...who, '--json')
  expect(JSON.parse(resumed.out)).toEqual({
    status: 'resumed',
    address: '/team',
    by: 'dana',
    why: 'mended',
  })
  expect(system.suspended).toEqual([])
  expect((await cli('list', '--json')).out).toBe('{"suspended":[]}\n')
  await api.close()
  await system.stop()
  removeAddress(folder)
  expect((await cli('resume', '/team', ...who)).err).toContain('nothing is suspended')
})

test.each([
  [['resume', 'team', ...who], 2, 'Expected the address of a supervisor'],
  [['resume', '/team', '--by', 'dana'], 2, "required option '--why <text>'"],
  [['resume', '/team', '--by', '', '--why', 'mended'], 2, '--by'],
  [['list', '--journal', '/nowhere/at/all'], 3, 'There is no journal'],
])('C7 `ambit suspended %j` ends with %i and the remedy', async (args, code, says) => {
  const ended = await runCli('suspended', ...args)
  expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(says)])
})

// mtcute against the lab: what it does when all is well, when the key exchange is wrong, and when its temporary key ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeClient } from './client.mjs'
import { startLab, until } from './lab.mjs'

const DAY = 86_400
// Where the labs of all tests keep one RSA key: making one takes longer than all the rest.
const folder = mkdtempSync(join(tmpdir(), 'dayfly-lab-'))
let lab
let made

beforeEach(async () => {
  // Calm: where the specification leaves a choice, the lab does what production does, and a test asks for more by name.
  lab = await startLab(process.env.DAYFLY ?? 'dayfly', 1, '--calm', '--key', join(folder, 'lab.pem'))
  made = makeClient(lab)
})

afterEach(async () => {
  vi.useRealTimers()
  await made.client.destroy()
  await lab.stop()
})

afterAll(() => rmSync(folder, { recursive: true }))

const dcOf = async () => (await made.client.call({ _: 'help.getConfig' })).thisDc
/** Calls in vain: what becomes of it is seen in the transcript and in the client's log. */
const tryToCall = () => dcOf().catch((error) => made.lines.push(String(error)))

test.each([
  ['usual', []],
  ['rare', ['server-nonce-zero', 'g-seven', 'ga-leading-zero', 'trailing', 'dh-gen-retry']],
])('it makes both keys, binds them and calls, with the %s choices', async (_, faults) => {
  await lab.scenario(...faults.map((fault) => ({ fault, times: 1 })))
  expect(await dcOf()).toBe(2)
  await until(() => lab.notes('call'), (calls) => calls.some((call) => call.includes('help.getConfig under the bound key')))
  expect(await lab.notes('key_made')).toHaveLength(2)
  expect(await lab.refusedBy()).toEqual([])
})

test.each([
  ['res-pq-nonce', 'Step 1: invalid nonce from server'],
  ['dh-answer-hash', 'Step 3: invalid inner data hash'],
  ['ga-one', 'g_a is not within (1, dh_prime - 1)'],
])('it refuses a key exchange with %s', async (fault, complaint) => {
  await lab.scenario({ fault })
  tryToCall()
  await until(() => made.lines.join('\n'), (log) => log.includes(complaint))
  await until(() => lab.verdicts(), ([first]) => first?.includes(`which the fault ${fault} had altered: it noticed`))
  expect(await lab.notes('key_made')).toEqual([])
})

test('the transcript names the rule that it broke', async () => {
  // mtcute splits this pq in two, one of which is no prime, and asks on; the lab tells which rule that is against.
  await lab.scenario({ fault: 'res-pq-three-primes' })
  tryToCall()
  await until(() => lab.refusedBy(), (rules) => rules.includes('HS-10'))
  await until(() => lab.verdicts(), ([first]) => first?.includes('(rule HS-10, field p)'))
})

test('when its temporary key ends it makes another, and calls under that', async () => {
  expect(await dcOf()).toBe(2)
  const [before] = await until(() => lab.notes('bound'), (bound) => bound.length === 1)
  // A day passes for both of them; mtcute takes the end of a key from its own clock.
  await lab.advance(DAY + 60)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (DAY + 60) * 1000 })
  expect(await dcOf()).toBe(2)
  const after = await until(() => lab.notes('bound'), (bound) => bound.length === 2)
  expect(after[1]).not.toBe(before)
  expect(await lab.notes('key_made')).toHaveLength(3) // one permanent, two temporary
})

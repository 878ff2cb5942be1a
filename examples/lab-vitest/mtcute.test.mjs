// mtcute against the lab: what it does when all is well, when an answer is wrong, and when time passes.
import { afterEach, expect, vi } from 'vitest'
import { test } from './fixtures.mjs'

const DAY = 86_400
const holding = (text) => expect.stringContaining(text)
/** The keys of each binding that the lab wrote down. */
const bindings = async (lab) =>
  (await lab.notes('bound')).map((note) => /temporary key (?<temp>\w+) .* permanent key (?<perm>\w+)/.exec(note).groups)
const dcOf = async (mtcute) => (await mtcute.call('help.getConfig')).thisDc

afterEach(() => vi.useRealTimers())

test.for([
  ['calm', []],
  ['lively', ['trailing', 'ga-leading-zero', 'dh-gen-retry']],
])('it makes both keys, binds them and calls: %s', async ([, legal], { lab, mtcute }) => {
  await lab.scenario(legal.map((fault) => ({ fault, times: 1 })))
  expect(await dcOf(mtcute)).toBe(2)
  await expect.poll(() => lab.notes('call')).toContainEqual(holding('help.getConfig under the bound key'))
  expect(await bindings(lab)).toHaveLength(1)
  expect(await lab.faults()).toEqual(legal)
  expect(await lab.refusedBy()).toEqual([])
})

test.for([
  ['res-pq-nonce', 'resPQ', 'Step 1: invalid nonce from server'],
  ['dh-answer-hash', 'server_DH_params_ok', 'Step 3: invalid inner data hash'],
  ['ga-one', 'server_DH_params_ok', 'g_a is not within (1, dh_prime - 1)'],
  ['dh-gen-ok-hash', 'dh_gen_ok', 'Step 4: invalid nonce hash from server'],
])('it refuses a key exchange with %s, and makes another', async ([fault, message, complaint], { lab, mtcute }) => {
  await lab.scenario([{ fault, times: 1 }])
  expect(await dcOf(mtcute)).toBe(2)
  expect(mtcute.log()).toContain(complaint)
  await expect.poll(() => lab.verdicts()).toContainEqual(holding(`went away after ${message}, which the fault ${fault} had altered`))
})

test('when a binding is refused it binds another temporary key to the same permanent key', async ({ lab, mtcute }) => {
  await lab.scenario([{ fault: 'bind-invalid', times: 1 }])
  expect(await dcOf(mtcute)).toBe(2)
  expect(mtcute.log()).toContain('failed to bind temp key: 400:ENCRYPTED_MESSAGE_INVALID')
  await expect.poll(() => bindings(lab)).toHaveLength(2)
  const [refused, taken] = await bindings(lab)
  expect(taken.perm).toBe(refused.perm)
  expect(taken.temp).not.toBe(refused.temp)
})

test('the transcript names the rule that it broke', async ({ lab, mtcute }) => {
  // mtcute splits this pq in two, one of which is no prime, and asks on; the lab tells which rule that is against.
  await lab.scenario([{ fault: 'res-pq-three-primes', times: 1 }])
  expect(await dcOf(mtcute)).toBe(2)
  await expect.poll(() => lab.refusedBy()).toEqual(['HS-10'])
  await expect.poll(() => lab.verdicts()).toContainEqual(holding("p and q are not the factors of this run's pq (rule HS-10, field p)"))
})

test('when its temporary key ends it binds another to the same permanent key', async ({ lab, mtcute }) => {
  expect(await dcOf(mtcute)).toBe(2)
  // A day passes for both of them: mtcute takes the end of the next key from its own clock.
  vi.setSystemTime(Date.now() + (DAY + 60) * 1000)
  await lab.advance(DAY + 60)
  expect(await dcOf(mtcute)).toBe(2)
  await expect.poll(() => bindings(lab)).toHaveLength(2)
  const [before, after] = await bindings(lab)
  expect(after.perm).toBe(before.perm)
  expect(after.temp).not.toBe(before.temp)
  await expect.poll(() => lab.notes('call')).toContainEqual(holding(`under the bound key ${after.temp}`))
})

test('a call gets the result that the scenario has for it', async ({ lab, mtcute }) => {
  // nearestDc, country:string, this_dc:int, nearest_dc:int
  const result = '75171a8e' + '024e4c00' + '02000000' + '04000000'
  await lab.scenario([], [{ method: 'help.getNearestDc', result }])
  expect(await mtcute.call('help.getNearestDc')).toEqual({ _: 'nearestDc', country: 'NL', thisDc: 2, nearestDc: 4 })
})

test('a call gets the error that the scenario has for it', async ({ lab, mtcute }) => {
  const error = { code: 420, message: 'FLOOD_WAIT_3600' }
  await lab.scenario([], [{ method: 'help.getNearestDc', error }])
  await expect(mtcute.call('help.getNearestDc')).rejects.toMatchObject({ text: 'FLOOD_WAIT_%d', seconds: 3600 })
})

test('a scenario that is wrong is refused', async ({ lab }) => {
  await expect(lab.scenario([{ fault: 'res-pq-none' }])).rejects.toThrow(/line 1: there is no fault .*; there are: res-pq-nonce, /)
})

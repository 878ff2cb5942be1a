import assert from 'node:assert/strict'
import test from 'node:test'

import { failures, isReached, row } from './row.mjs'

const counts = { passed: 5, failed_must: 1, failed_should: 0, failed_compat: 2, not_reached: 3, undecided: 4, left_out: 6 }
const cases = [
  { id: 'HS-01/1', severity: 'must', title: 'a key is made', verdict: 'passed', got: null },
  { id: 'HS-20/1', severity: 'must', title: 'g_b = 1', verdict: 'failed', got: 'dh_gen_ok' },
  { id: 'HS-20/2', severity: 'must', title: 'g_b = 0', verdict: 'not reached', got: 'nothing' },
]
const report = { version: 1, seed: '7', stranger: null, counts, cases }

test('a report is a row of its counts', () => {
  assert.equal(row('gotd', report), '| gotd | 5 | 1 | 0 | 2 | 3 | 4 | 6 |')
})

test('only what failed is listed', () => {
  assert.deepEqual(failures(report), ['    HS-20/1 must: g_b = 1: dh_gen_ok'])
})

test('a peer that speaks something else has no counts and one sentence', () => {
  const stranger = { ...report, stranger: 'it is an SSH server' }
  assert.equal(row('x', stranger), '| x | – | – | – | – | – | – | – |')
  assert.deepEqual(failures(stranger), ['    it is an SSH server'])
})

test('a peer of whom nothing passed was not reached', () => {
  assert.ok(isReached(report))
  assert.ok(!isReached({ ...report, counts: { ...counts, passed: 0 } }))
  assert.ok(!isReached({ ...report, stranger: 'it is an SSH server' }))
})

test('a report of another version is not guessed at', () => {
  assert.throws(() => row('x', { ...report, version: 2 }), /version 2/)
})

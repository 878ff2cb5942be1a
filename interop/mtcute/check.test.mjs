import assert from 'node:assert/strict'
import test from 'node:test'
import { differences, parse } from './check.mjs'

const TRANSPORT = 'obfuscated-padded'
const good = () => [
  { event: 'key_created', kind: 'permanent', key_id: 'aa' },
  { event: 'key_created', kind: 'temporary', key_id: 'bb' },
  { event: 'bound', perm_key_id: 'aa', temp_key_id: 'bb' },
  { event: 'call', method: 'help.getConfig', key_id: 'bb' },
  { event: 'call', method: 'help.getNearestDc', key_id: 'bb' },
  { event: 'transport', name: 'padded intermediate', obfuscated: true },
]

test('a run as it should be has no differences', () => {
  assert.deepEqual(differences(good(), TRANSPORT), [])
})

const wrong = {
  'a missing binding': (log) => log.splice(2, 1),
  'a second permanent key': (log) => log.push(log[0]),
  'a second temporary key': (log) => log.push(log[1]),
  'a binding to another key': (log) => (log[2].perm_key_id = 'cc'),
  'a call under the permanent key': (log) => log.push({ event: 'call', method: 'help.getAppConfig', key_id: 'aa' }),
  'a demanded call under another key': (log) => (log[3].key_id = 'cc'),
  'a missing call': (log) => log.splice(4, 1),
  'a call before the binding': (log) => log.push(log.splice(2, 1)[0]),
  'keys without ids': (log) => log.forEach((event) => delete event.key_id),
  'another transport': (log) => (log[5].name = 'intermediate'),
  'a transport that is not obfuscated': (log) => (log[5].obfuscated = false),
  'no transport': (log) => log.pop(),
  'a refused call': (log) => log.push({ event: 'call_refused', method: 'help.getAppConfig', key_id: 'bb' }),
  'a refused query of the key exchange': (log) => log.push({ event: 'handshake_refused', rule: 'HS-10' }),
  'an empty log': (log) => log.splice(0),
}

for (const [name, spoil] of Object.entries(wrong)) {
  test(`${name} is a difference`, () => {
    const log = good()
    spoil(log)
    assert.notDeepEqual(differences(log, TRANSPORT), [])
  })
}

test('a log that is not JSON lines is an error', () => {
  assert.throws(() => parse('{"event":"bound"}\nnot json\n'))
})

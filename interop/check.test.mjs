import assert from 'node:assert/strict'
import test from 'node:test'
import { differences, parse } from './check.mjs'

const transport = (name, obfuscated) => ({ event: 'transport', name, obfuscated })

const pfs = () => [
  transport('padded intermediate', true),
  { event: 'key_created', kind: 'permanent', key_id: 'aa' },
  { event: 'key_created', kind: 'temporary', key_id: 'bb' },
  { event: 'bound', perm_key_id: 'aa', temp_key_id: 'bb' },
  { event: 'call', method: 'help.getConfig', key_id: 'bb', key_use: 'bound' },
  { event: 'call', method: 'help.getNearestDc', key_id: 'bb', key_use: 'bound' },
]

const noPfs = () => [
  transport('full', false),
  { event: 'key_created', kind: 'permanent', key_id: 'aa' },
  { event: 'call', method: 'help.getConfig', key_id: 'aa', key_use: 'permanent' },
  { event: 'call', method: 'help.getNearestDc', key_id: 'aa', key_use: 'permanent' },
]

const served = () => [transport('intermediate', true), ...pfs().slice(1)]

const oldRsaRefused = () => [
  transport('full', false),
  { event: 'handshake_refused_after_decryption' },
  { event: 'transport_error', code: -404 },
  ...served(),
]

const noPfsRefused = () => [
  transport('full', false),
  { event: 'key_created', kind: 'permanent', key_id: 'cc' },
  { event: 'call_refused', method: 'help.getConfig', key_id: 'cc', error: 'TEMP_AUTH_KEY_EMPTY' },
  ...served(),
]

const connect = () => [
  { event: 'key_created' },
  { event: 'key_created' },
  { event: 'bound', perm_key_id: 'aa', temp_key_id: 'bb' },
  { event: 'call', method: 'help.getConfig', key_id: 'bb' },
  { event: 'call', method: 'help.getNearestDc', key_id: 'bb' },
  { step: 'temp_key', key_id: 'bb' },
  { step: 'perm_key', key_id: 'aa' },
  { step: 'done', under_perm: 0, under_temp: 3 },
]

const STORIES = {
  'pfs': {
    over: 'obfuscated-padded',
    good: pfs,
    wrong: {
      'a missing binding': (log) => log.splice(3, 1),
      'a second permanent key': (log) => log.push(log[1]),
      'a second temporary key': (log) => log.push(log[2]),
      'a binding to another key': (log) => (log[3].perm_key_id = 'cc'),
      'a binding of another key': (log) => (log[3].temp_key_id = 'cc'),
      'a call under the permanent key': (log) => log.push({ event: 'call', method: 'x', key_id: 'aa', key_use: 'permanent' }),
      'a demanded call under another key': (log) => (log[4].key_id = 'cc'),
      'a call under the key while it is not bound': (log) => (log[4].key_use = 'unbound'),
      'a missing call': (log) => log.splice(5, 1),
      'a call before the binding': (log) => log.push(log.splice(3, 1)[0]),
      'keys without ids': (log) => log.forEach((event) => delete event.key_id),
      'another transport': (log) => (log[0].name = 'intermediate'),
      'a transport that is not obfuscated': (log) => (log[0].obfuscated = false),
      'a second connection over another transport': (log) => log.push(transport('full', false)),
      'no transport': (log) => log.shift(),
      'a refused call': (log) => log.push({ event: 'call_refused', method: 'help.getAppConfig', key_id: 'bb' }),
      'a refused query of the key exchange': (log) => log.push({ event: 'handshake_refused', rule: 'HS-10' }),
      'a refusal after the decryption': (log) => log.push({ event: 'handshake_refused_after_decryption' }),
      'an empty log': (log) => log.splice(0),
    },
  },
  'no-pfs': {
    over: 'full',
    good: noPfs,
    wrong: {
      'a temporary key': (log) => log.push({ event: 'key_created', kind: 'temporary', key_id: 'bb' }),
      'a binding': (log) => log.push({ event: 'bound' }),
      'no key': (log) => log.splice(1, 1),
      'a second key': (log) => log.push(log[1]),
      'a missing call': (log) => log.pop(),
      'a call under another key': (log) => (log[2].key_id = 'bb'),
      'a call under a bound key': (log) => (log[2].key_use = 'bound'),
      'another transport': (log) => (log[0].name = 'abridged'),
      'a refused call': (log) => log.push({ event: 'call_refused', method: 'x', key_id: 'aa' }),
      'an empty log': (log) => log.splice(0),
    },
  },
  'old-rsa-refused': {
    over: 'full',
    good: oldRsaRefused,
    wrong: {
      'a key all the same': (log) => log.splice(2, 0, { event: 'key_created', kind: 'permanent', key_id: 'cc' }),
      'no refusal': (log) => log.splice(1, 2),
      'no client afterwards': (log) => log.splice(3),
      'a client afterwards that was not bound': (log) => log.splice(6, 1),
      'another transport': (log) => (log[0].name = 'abridged'),
      'an empty log': (log) => log.splice(0),
    },
  },
  'no-pfs-refused': {
    over: 'full',
    good: noPfsRefused,
    wrong: {
      'a call all the same': (log) => log.splice(2, 0, { event: 'call', method: 'x', key_id: 'cc', key_use: 'permanent' }),
      'no key': (log) => log.splice(1, 1),
      'no refusal': (log) => log.splice(2, 1),
      'a refusal of another name': (log) => (log[2].error = 'AUTH_KEY_PERM_EMPTY'),
      'a key exchange that was refused too': (log) => log.splice(1, 0, { event: 'handshake_refused', rule: 'HS-10' }),
      'no client afterwards': (log) => log.splice(3),
      'a client afterwards that did not call': (log) => log.splice(-2),
      'an empty log': (log) => log.splice(0),
    },
  },
  'connect': {
    good: connect,
    wrong: {
      'one key': (log) => log.shift(),
      'no binding': (log) => log.splice(2, 1),
      'a second binding of other keys': (log) => log.splice(3, 0, { event: 'bound', perm_key_id: 'aa', temp_key_id: 'cc' }),
      'a binding the wrong way round': (log) => Object.assign(log[2], { perm_key_id: 'bb', temp_key_id: 'aa' }),
      'a refused binding': (log) => log.unshift({ event: 'bind_refused', key_id: 'bb' }),
      'a call under the permanent key': (log) => (log[3].key_id = 'aa'),
      'a call before the binding': (log) => log.push(log.splice(2, 1)[0]),
      'a missing call': (log) => log.splice(4, 1),
      'a client that names no keys': (log) => log.splice(5, 2),
      'a client that did not end': (log) => log.pop(),
      'a message under the permanent key': (log) => (log.at(-1).under_perm = 1),
      'an empty log': (log) => log.splice(0),
    },
  },
}

for (const [story, { over, good, wrong }] of Object.entries(STORIES)) {
  test(`${story}: a run as it should be has no differences`, () => {
    assert.deepEqual(differences(good(), story, over), [])
  })
  for (const [name, spoil] of Object.entries(wrong)) {
    test(`${story}: ${name} is a difference`, () => {
      const log = good()
      spoil(log)
      assert.notDeepEqual(differences(log, story, over), [])
    })
  }
}

test('connect: a binding that came twice is no difference', () => {
  const log = connect()
  log.splice(3, 0, log[2])
  assert.deepEqual(differences(log, 'connect'), [])
})

test('a log that is not JSON lines is an error', () => {
  assert.throws(() => parse('{"event":"bound"}\nnot json\n'))
})

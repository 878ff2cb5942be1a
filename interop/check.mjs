// usage: node check.mjs EVENT-LOG STORY --transport TRANSPORT
//        node check.mjs EVENT-LOG connect
//
// Reads the JSON lines that `dayfly serve --event-log` wrote during one run of a driver over TRANSPORT and demands that they
// tell STORY, and nothing else. For the story `connect` they are those of a foreign server, and after them what
// `dayfly connect --json` printed. Exit code 0: they tell it; 1: they do not, each difference is a line; 2: wrong usage.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const CALLS = ['help.getConfig', 'help.getNearestDc']
const REFUSALS = ['bind_refused', 'call_refused', 'handshake_refused', 'handshake_refused_after_decryption', 'transport_error']

/** What the server calls the transports of the drivers. */
export const TRANSPORTS = {
  'abridged': { name: 'abridged', obfuscated: false },
  'intermediate': { name: 'intermediate', obfuscated: false },
  'padded': { name: 'padded intermediate', obfuscated: false },
  'full': { name: 'full', obfuscated: false },
  'obfuscated-abridged': { name: 'abridged', obfuscated: true },
  'obfuscated-intermediate': { name: 'intermediate', obfuscated: true },
  'obfuscated-padded': { name: 'padded intermediate', obfuscated: true },
  // What mtcute sends inside it; the log does not tell what carries a transport.
  'websocket': { name: 'intermediate', obfuscated: true },
}

/** Events, and what was found wrong with them so far. */
class Reading {
  found = []

  constructor(events) {
    this.events = events
  }

  /** The events of one kind whose fields have these values. */
  all(event, fields = {}) {
    return this.events.filter((e) => e.event === event && Object.entries(fields).every(([name, value]) => e[name] === value))
  }

  demand(holds, sentence) {
    if (!holds) this.found.push(sentence)
  }

  count(number, what, event, fields) {
    const { length } = this.all(event, fields)
    this.demand(length === number, `${what}: ${length}, not ${number}`)
  }

  /** Nothing but `transport`, on every connection. */
  over(transport) {
    const told = this.all('transport')
    const right = this.all('transport', TRANSPORTS[transport])
    this.demand(told.length > 0 && right.length === told.length, `the transport was not ${transport}`)
  }

  /** Each demanded method was called, and all calls came under the key `key`, used as `use` where the server tells that. */
  calledUnder(key, use) {
    for (const method of CALLS) {
      this.demand(this.all('call', { method }).length > 0, `${method} was not called`)
    }
    for (const call of this.all('call')) {
      const right = call.key_id === key && call.key_use === use
      this.demand(right, `${call.method} was called under ${call.key_id} as a key that is ${call.key_use}`)
    }
  }

  /** No call before the binding. */
  inOrder() {
    const binding = this.events.findIndex((e) => e.event === 'bound')
    const early = this.events.slice(0, binding).filter((e) => e.event === 'call')
    early.forEach(({ method }) => this.demand(false, `${method} was called before the binding`))
  }

  without(...kinds) {
    kinds.forEach((event) => this.demand(this.all(event).length === 0, `the log has ${event}`))
  }
}

/** Both keys, one binding, every call under the bound temporary key. */
function withForwardSecrecy(reading, transport) {
  reading.over(transport)
  reading.count(1, 'permanent keys', 'key_created', { kind: 'permanent' })
  reading.count(1, 'temporary keys', 'key_created', { kind: 'temporary' })
  reading.count(1, 'bindings', 'bound')
  reading.without(...REFUSALS)
  if (reading.found.length > 0) return

  const [{ key_id: perm }] = reading.all('key_created', { kind: 'permanent' })
  const [{ key_id: temp }] = reading.all('key_created', { kind: 'temporary' })
  const [bound] = reading.all('bound')
  reading.demand(typeof perm === 'string' && typeof temp === 'string' && perm !== temp, 'the two keys have no ids of their own')
  reading.demand(bound.perm_key_id === perm, 'the binding names another permanent key')
  reading.demand(bound.temp_key_id === temp, 'the binding names another temporary key')
  reading.calledUnder(temp, 'bound')
  reading.inOrder()
}

/** One permanent key, and every call under it: what `--allow no-pfs` is for. */
function withoutForwardSecrecy(reading, transport) {
  reading.over(transport)
  reading.count(1, 'permanent keys', 'key_created', { kind: 'permanent' })
  reading.count(0, 'temporary keys', 'key_created', { kind: 'temporary' })
  reading.without('bound', ...REFUSALS)
  if (reading.found.length > 0) return

  const [{ key_id: perm }] = reading.all('key_created')
  reading.demand(typeof perm === 'string', 'the key has no id')
  reading.calledUnder(perm, 'permanent')
}

/** The key exchange itself was refused: no key, no call. After the decryption no refusal gives its reason (rule HS-12). */
function oldRsaRefused(reading, transport) {
  reading.over(transport)
  reading.demand(reading.all('handshake_refused_after_decryption').length > 0, 'no key exchange was refused')
  reading.without('key_created', 'bound', 'call', 'call_refused')
}

/** A permanent key was made, and each call under it was refused by name. */
function noPfsRefused(reading, transport) {
  reading.over(transport)
  reading.count(1, 'permanent keys', 'key_created', { kind: 'permanent' })
  reading.without('bound', 'call', 'bind_refused', 'handshake_refused', 'handshake_refused_after_decryption')
  const refused = reading.all('call_refused')
  reading.demand(refused.length > 0, 'no call was refused')
  for (const { method, error } of refused) {
    reading.demand(error === 'TEMP_AUTH_KEY_EMPTY', `${method} was refused with ${error}`)
  }
}

/** `refused` by the client over a plain transport; then `dayfly connect`, which obfuscates, was served by the same server. */
const thenServed = (refused) => (reading, transport) => {
  const next = reading.events.findIndex((e) => e.event === 'transport' && e.obfuscated)
  reading.demand(next >= 0, 'no other client was served afterwards')
  if (next < 0) return

  const first = new Reading(reading.events.slice(0, next))
  const second = new Reading(reading.events.slice(next))
  refused(first, transport)
  withForwardSecrecy(second, 'obfuscated-intermediate')
  reading.found.push(...first.found, ...second.found.map((sentence) => `afterwards: ${sentence}`))
}

/**
 * A server that knows no kinds of keys made two, saw one bound to the other, and no call but under the one. gotd gives each new
 * session a first_msg_id after all that it has got: what it has not answered by then is rightly sent again, so that it may see
 * the same binding twice.
 */
function ourClient(reading) {
  reading.count(2, 'keys', 'key_created')
  reading.without(...REFUSALS)
  const [perm, temp] = ['perm_key', 'temp_key'].map((step) => reading.events.find((e) => e.step === step)?.key_id)
  reading.demand(typeof perm === 'string' && typeof temp === 'string', 'the client names no two keys')
  reading.demand(reading.events.some((e) => e.step === 'done' && e.under_perm === 0), 'the client did not end as it should')
  if (reading.found.length > 0) return

  const bindings = reading.all('bound')
  const right = reading.all('bound', { perm_key_id: perm, temp_key_id: temp })
  reading.demand(right.length > 0 && right.length === bindings.length, 'none or other keys were bound')
  reading.calledUnder(temp)
  reading.inOrder()
}

export const STORIES = {
  'pfs': withForwardSecrecy,
  'no-pfs': withoutForwardSecrecy,
  'old-rsa-refused': thenServed(oldRsaRefused),
  'no-pfs-refused': thenServed(noPfsRefused),
  'connect': ourClient,
}

/** The events of a log. */
export function parse(text) {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line))
}

/** What of `events` is not as `story` makes it over `transport`: a sentence each. */
export function differences(events, story, transport) {
  const reading = new Reading(events)
  STORIES[story](reading, transport)
  return reading.found
}

function main(words) {
  const options = { transport: { type: 'string' } }
  const { positionals: [path, story], values: { transport } } = parseArgs({ args: words, options, allowPositionals: true })
  const tellsTransport = story !== 'connect'
  if (!path || !Object.hasOwn(STORIES, story ?? '') || tellsTransport !== Object.hasOwn(TRANSPORTS, transport ?? '')) {
    const [stories, transports] = [STORIES, TRANSPORTS].map((table) => Object.keys(table).join('|'))
    console.error(`usage: node check.mjs EVENT-LOG ${stories} [--transport ${transports}]`)
    return 2
  }
  const found = differences(parse(readFileSync(path, 'utf8')), story, transport)
  found.forEach((sentence) => console.error(`event log: ${sentence}`))
  return found.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main(process.argv.slice(2))
}

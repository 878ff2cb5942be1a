// usage: node check.mjs EVENT-LOG TRANSPORT
//
// Reads the JSON lines that `dayfly serve --event-log` wrote during one run of drive.mjs over TRANSPORT and demands that
// exactly what should have happened did. Exit code 0: it did; 1: it did not, each difference is a line; 2: wrong usage.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const CALLS = ['help.getConfig', 'help.getNearestDc']
// What the server calls the transports of drive.mjs.
const TRANSPORTS = {
  'intermediate': { name: 'intermediate', obfuscated: false },
  'padded': { name: 'padded intermediate', obfuscated: false },
  'obfuscated-intermediate': { name: 'intermediate', obfuscated: true },
  'obfuscated-padded': { name: 'padded intermediate', obfuscated: true },
}

/** The events of a log. */
export function parse(text) {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line))
}

/** What of `events` is not as one run of the driver over `transport` makes it: a sentence each. */
export function differences(events, transport) {
  const all = (event, fields = {}) =>
    events.filter((e) => e.event === event && Object.entries(fields).every(([name, value]) => e[name] === value))
  const found = []
  const demand = (holds, sentence) => holds || found.push(sentence)

  const told = all('transport')
  demand(told.length > 0 && told.length === all('transport', TRANSPORTS[transport]).length, `the transport was not ${transport}`)
  const permanent = all('key_created', { kind: 'permanent' })
  const temporary = all('key_created', { kind: 'temporary' })
  const bound = all('bound')
  demand(permanent.length === 1, `${permanent.length} permanent keys were created, not 1`)
  demand(temporary.length === 1, `${temporary.length} temporary keys were created, not 1`)
  demand(bound.length === 1, `${bound.length} bindings were made, not 1`)
  if (found.length > 0) return found

  const [{ key_id: perm }] = permanent
  const [{ key_id: temp }] = temporary
  demand(typeof perm === 'string' && typeof temp === 'string' && perm !== temp, 'the two keys have no ids of their own')
  demand(bound[0].perm_key_id === perm, 'the binding names another permanent key')
  demand(bound[0].temp_key_id === temp, 'the binding names another temporary key')
  for (const method of CALLS) {
    const calls = all('call', { method })
    demand(calls.length > 0, `${method} was not called`)
    demand(calls.every((call) => call.key_id === temp), `${method} was called under a key that is not the temporary one`)
    demand(calls.every((call) => events.indexOf(call) > events.indexOf(bound[0])), `${method} was called before the binding`)
  }
  demand(all('call').every((call) => call.key_id !== perm), 'a call was made under the permanent key')
  for (const event of ['bind_refused', 'call_refused', 'handshake_refused', 'transport_error']) {
    demand(all(event).length === 0, `the log has ${event}`)
  }
  return found
}

function main([path, transport]) {
  if (!path || !Object.hasOwn(TRANSPORTS, transport ?? '')) {
    console.error(`usage: node check.mjs EVENT-LOG ${Object.keys(TRANSPORTS).join('|')}`)
    return 2
  }
  const found = differences(parse(readFileSync(path, 'utf8')), transport)
  found.forEach((sentence) => console.error(`event log: ${sentence}`))
  return found.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main(process.argv.slice(2))
}

// usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [TRANSPORT [SECONDS]]
//
// Connects mtcute with its forward secrecy on to one server, which makes it create a permanent and a temporary key and
// bind them, then calls help.getConfig and help.getNearestDc. TRANSPORT is one of those in CODECS, `intermediate` by
// default. One JSON object a line on stdout. Exit code 0: both calls
// were answered; 1: they were not, the last line says why; 2: wrong usage; 3: mtcute made a key that begins with a zero
// byte and lost it (see LOST_KEY in client.mjs), which says nothing about the server.
import {
  IntermediatePacketCodec,
  LOST_KEY,
  ObfuscatedPacketCodec,
  PaddedIntermediatePacketCodec,
  makeClient,
  trust,
} from './client.mjs'

// Every transport that mtcute speaks over TCP.
const CODECS = {
  'intermediate': () => new IntermediatePacketCodec(),
  'padded': () => new PaddedIntermediatePacketCodec(),
  'obfuscated-intermediate': () => new ObfuscatedPacketCodec(new IntermediatePacketCodec()),
  'obfuscated-padded': () => new ObfuscatedPacketCodec(new PaddedIntermediatePacketCodec()),
}

const say = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }))

function end(code, event, fields) {
  say(event, fields)
  process.exit(code)
}

const fail = (reason) => end(reason.includes(LOST_KEY) ? 3 : 1, 'failed', { reason })

function parseArguments([address, pem, transport = 'intermediate', seconds = '60']) {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address ?? '') ?? []
  if (!host || !pem || !Object.hasOwn(CODECS, transport) || !(Number(seconds) > 0)) {
    const transports = Object.keys(CODECS).join('|')
    console.error(`usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [${transports} [SECONDS]]`)
    process.exit(2)
  }
  return { host, port: Number(port), pem, codec: CODECS[transport], seconds: Number(seconds) }
}

async function main() {
  const settings = parseArguments(process.argv.slice(2))
  const timer = setTimeout(() => fail(`no result within ${settings.seconds} s`), settings.seconds * 1000)
  say('trusted', { fingerprint: trust(settings.pem) })
  const client = makeClient(settings, fail)
  client.onError.add((error) => fail(String(error?.message ?? error)))
  client.onConnectionState.add((state) => say('state', { state }))

  const config = await client.call({ _: 'help.getConfig' })
  say('result', { method: 'help.getConfig', dc: config.thisDc, dcOptions: config.dcOptions.length })
  const nearest = await client.call({ _: 'help.getNearestDc' })
  say('result', { method: 'help.getNearestDc', dc: nearest.thisDc, nearest: nearest.nearestDc })
  clearTimeout(timer)
  end(0, 'done')
}

main().catch((error) => fail(String(error?.message ?? error)))

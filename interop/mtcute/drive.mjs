// usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [TRANSPORT [SECONDS]]
//
// Connects mtcute with its forward secrecy on to one server, which makes it create a permanent and a temporary key and
// bind them, then calls help.getConfig and help.getNearestDc. TRANSPORT is one of those in CODECS, `intermediate` by
// default. One JSON object a line on stdout. Exit code 0: both calls
// were answered; 1: they were not, the last line says why; 2: wrong usage; 3: mtcute made a key that begins with a zero
// byte and lost it (see KNOWN_FLAW), which says nothing about the server.
import { readFileSync } from 'node:fs'
import {
  BaseTelegramClient,
  IntermediatePacketCodec,
  MemoryStorage,
  NodePlatform,
  ObfuscatedPacketCodec,
  PaddedIntermediatePacketCodec,
  TcpTransport,
} from '@mtcute/node'
import { LogManager, NodeCryptoProvider, parsePublicKey } from '@mtcute/node/utils.js'
// Not exported, but the only place where mtcute looks for server keys.
import { __publicKeyIndex as serverKeys } from './node_modules/@mtcute/core/tl/binary/rsa-keys.js'

// mtcute strips leading zero bytes of auth_key before it hashes it: with the published prime one key in about 199 is
// lost, and it reports the server's right hash as wrong.
const KNOWN_FLAW = 'Step 4: invalid nonce hash from server'
const DC = 2
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

const fail = (reason) => end(reason.includes(KNOWN_FLAW) ? 3 : 1, 'failed', { reason })

function parseArguments([address, pem, transport = 'intermediate', seconds = '60']) {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address ?? '') ?? []
  if (!host || !pem || !Object.hasOwn(CODECS, transport) || !(Number(seconds) > 0)) {
    const transports = Object.keys(CODECS).join('|')
    console.error(`usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [${transports} [SECONDS]]`)
    process.exit(2)
  }
  return { host, port: Number(port), pem, codec: CODECS[transport], seconds: Number(seconds) }
}

function makeTransport(codec) {
  const transport = new TcpTransport()
  transport.packetCodec = codec
  return transport
}

// mtcute looks a key up by its fingerprint without leading zeros, but files it with them.
function trust(pem) {
  const key = parsePublicKey(new NodeCryptoProvider(), readFileSync(pem, 'utf8'))
  serverKeys[key.fingerprint.replace(/^0+/, '')] = key
  return key.fingerprint
}

function makeClient({ host, port, codec }) {
  const here = { id: DC, ipAddress: host, port, ipv6: host.includes(':') }
  const log = new LogManager('mtcute', new NodePlatform())
  log.level = Number(process.env.MTCUTE_LOG_LEVEL ?? LogManager.WARN)
  log.handler = (_color, _level, tag, format, values) => {
    const text = [format, ...values.map(String)].join(' ')
    console.error(`${tag}: ${text}`)
    if (text.includes(KNOWN_FLAW)) fail(text.split('\n')[0])
  }
  return new BaseTelegramClient({
    apiId: 1,
    apiHash: '0'.repeat(32),
    storage: new MemoryStorage(),
    transport: makeTransport(codec),
    defaultDcs: { main: here, media: here },
    network: { usePfs: true },
    disableUpdates: true,
    logger: log,
    // Once: a server that does not answer is a result, not something to wait for.
    reconnectionStrategy: ({ consequentFails }) => (consequentFails > 3 ? false : 200),
  })
}

async function main() {
  const settings = parseArguments(process.argv.slice(2))
  const timer = setTimeout(() => fail(`no result within ${settings.seconds} s`), settings.seconds * 1000)
  say('trusted', { fingerprint: trust(settings.pem) })
  const client = makeClient(settings)
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

// usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [TRANSPORT [SECONDS]]
//
// Connects gramjs to one server over TRANSPORT, one of those in TRANSPORTS, `full` by default, which makes it create a
// permanent key with RSA_PAD, then calls help.getConfig and help.getNearestDc under that key: gramjs has no forward secrecy.
// One JSON object a line on stdout. Exit code 0: both calls were answered; 1: they were not, the last line says why; 2: wrong
// usage; 3: gramjs made a key that begins with a zero byte and lost it (see KNOWN_FLAW), which says nothing about the server.
import { createHash, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Api, Logger, TelegramClient } from 'telegram'
// Not exported, but the only place where gramjs looks for server keys.
import { _serverKeys as serverKeys } from 'telegram/crypto/RSA.js'
import { returnBigInt } from 'telegram/Helpers.js'
import {
  ConnectionTCPAbridged,
  ConnectionTCPFull,
  ConnectionTCPObfuscated,
} from 'telegram/network/connection/index.js'
import { MemorySession } from 'telegram/sessions/index.js'

// gramjs strips leading zero bytes of auth_key before it hashes it: with the published prime one key in about 199 is lost,
// and it reports the server's right hash as wrong.
const KNOWN_FLAW = 'Step 3 invalid new nonce hash'
const DC = 2
// Every transport that gramjs speaks over TCP without a proxy.
const TRANSPORTS = {
  'full': ConnectionTCPFull,
  'abridged': ConnectionTCPAbridged,
  'obfuscated-abridged': ConnectionTCPObfuscated,
}

const say = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }))

function end(code, event, fields) {
  say(event, fields)
  process.exit(code)
}

const fail = (reason) => end(reason.includes(KNOWN_FLAW) ? 3 : 1, 'failed', { reason })
const failWith = (error) => fail(String(error?.message ?? error))

function parseArguments([address, pem, transport = 'full', seconds = '60']) {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address ?? '') ?? []
  if (!host || !pem || !Object.hasOwn(TRANSPORTS, transport) || !(Number(seconds) > 0)) {
    console.error(`usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [${Object.keys(TRANSPORTS).join('|')} [SECONDS]]`)
    process.exit(2)
  }
  return { host, port: Number(port), pem, Connection: TRANSPORTS[transport], seconds: Number(seconds) }
}

/** A TL string of more than 253 bytes or less: its length, its bytes, zeros up to four. */
function tlBytes(bytes) {
  const head = bytes.length < 254 ? [bytes.length] : [254, bytes.length & 255, bytes.length >> 8, 0]
  const padding = -(head.length + bytes.length) & 3
  return Buffer.concat([Buffer.from(head), bytes, Buffer.alloc(padding)])
}

/** Files the key where gramjs will look for it: under its fingerprint, a signed decimal number. */
function trust(pem) {
  const jwk = createPublicKey(readFileSync(pem, 'utf8')).export({ format: 'jwk' })
  const [n, e] = [jwk.n, jwk.e].map((text) => Buffer.from(text, 'base64url'))
  const fingerprint = createHash('sha1').update(tlBytes(n)).update(tlBytes(e)).digest().readBigInt64LE(12)
  serverKeys.set(String(fingerprint), { n: returnBigInt(BigInt(`0x${n.toString('hex')}`)), e: Number(`0x${e.toString('hex')}`) })
  return BigInt.asUintN(64, fingerprint).toString(16).padStart(16, '0')
}

/** gramjs takes the address of a session but always port 80 or 443: the connection is told the port here. */
function atPort(Connection, port) {
  return class extends Connection {
    constructor(settings) {
      super({ ...settings, port })
    }
  }
}

class StderrLogger extends Logger {
  log(level, message) {
    console.error(`gramjs: ${level}: ${message}`)
  }
}

function makeClient({ host, port, Connection }) {
  const session = new MemorySession()
  session.setDC(DC, host, port)
  const client = new TelegramClient(session, 1, '0'.repeat(32), {
    connection: atPort(Connection, port),
    baseLogger: new StderrLogger(process.env.GRAMJS_LOG_LEVEL ?? 'none'),
    // Once: a server that does not answer is a result, not something to wait for.
    connectionRetries: 1,
    reconnectRetries: 1,
    autoReconnect: false,
  })
  client.onError = failWith
  return client
}

async function main() {
  const settings = parseArguments(process.argv.slice(2))
  const timer = setTimeout(() => fail(`no result within ${settings.seconds} s`), settings.seconds * 1000)
  say('trusted', { fingerprint: trust(settings.pem) })
  const client = makeClient(settings)
  if (!(await client.connect())) fail('no connection')

  const config = await client.invoke(new Api.help.GetConfig())
  say('result', { method: 'help.getConfig', dc: config.thisDc, dcOptions: config.dcOptions.length })
  const nearest = await client.invoke(new Api.help.GetNearestDc())
  say('result', { method: 'help.getNearestDc', dc: nearest.thisDc, nearest: nearest.nearestDc })
  clearTimeout(timer)
  end(0, 'done')
}

main().catch(failWith)

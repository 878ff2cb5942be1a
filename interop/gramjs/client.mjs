// gramjs, made ready for one server: its address and its key.
import { createHash, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Logger, TelegramClient } from 'telegram'
// Not exported, but the only place where gramjs looks for server keys.
import { _serverKeys as serverKeys } from 'telegram/crypto/RSA.js'
import { returnBigInt } from 'telegram/Helpers.js'
import { MemorySession } from 'telegram/sessions/index.js'

const DC = 2

/** A TL string of more than 253 bytes or less: its length, its bytes, zeros up to four. */
function tlBytes(bytes) {
  const head = bytes.length < 254 ? [bytes.length] : [254, bytes.length & 255, bytes.length >> 8, 0]
  const padding = -(head.length + bytes.length) & 3
  return Buffer.concat([Buffer.from(head), bytes, Buffer.alloc(padding)])
}

/** Files the key where gramjs will look for it: under its fingerprint, a signed decimal number. */
export function trust(pem) {
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

// Once: a server that does not answer is a result, not something to wait for.
const ONCE = { connectionRetries: 1, reconnectRetries: 1, autoReconnect: false }

/** A client of one server. It tries once to connect, or with `reconnects` as it would by itself. */
export function makeClient({ host, port, Connection, reconnects = false }) {
  const session = new MemorySession()
  session.setDC(DC, host, port)
  return new TelegramClient(session, 1, '0'.repeat(32), {
    connection: atPort(Connection, port),
    baseLogger: new StderrLogger(process.env.GRAMJS_LOG_LEVEL ?? 'none'),
    ...(reconnects ? {} : ONCE),
  })
}

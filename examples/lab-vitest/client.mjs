// mtcute with forward secrecy, made ready for one lab.
import { readFileSync } from 'node:fs'
import { format } from 'node:util'
import { BaseTelegramClient, MemoryStorage, NodePlatform, TcpTransport } from '@mtcute/node'
import { LogManager, NodeCryptoProvider, parsePublicKey } from '@mtcute/node/utils.js'
// Not exported, but the only place where mtcute looks for server keys.
import { __publicKeyIndex as serverKeys } from './node_modules/@mtcute/core/tl/binary/rsa-keys.js'

const DC = 2

/** mtcute looks a key up by its fingerprint without leading zeros, but files it with them. */
function trust(file) {
  const key = parsePublicKey(new NodeCryptoProvider(), readFileSync(file, 'utf8'))
  serverKeys[key.fingerprint.replace(/^0+/, '')] = key
}

/** A client of this lab, and the lines of its log, in which alone it says why it made no key. */
export function makeClient(lab) {
  trust(lab.publicKey)
  const here = { id: DC, ipAddress: lab.host, port: lab.port, ipv6: false }
  const lines = []
  const log = new LogManager('mtcute', new NodePlatform())
  log.level = LogManager.WARN
  log.handler = (_color, _level, _tag, text, values) => lines.push(format(text, ...values))
  const client = new BaseTelegramClient({
    apiId: 1,
    apiHash: '0'.repeat(32),
    storage: new MemoryStorage(),
    transport: new TcpTransport(),
    defaultDcs: { main: here, media: here },
    network: { usePfs: true },
    disableUpdates: true,
    logger: log,
  })
  client.onError.add((error) => lines.push(String(error)))
  return { client, lines }
}

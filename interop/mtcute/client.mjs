// mtcute, made ready for one server: its address, its key, forward secrecy, and no second try.
import { readFileSync } from 'node:fs'
import { BaseTelegramClient, MemoryStorage, NodePlatform, TcpTransport } from '@mtcute/node'
import { LogManager, NodeCryptoProvider, parsePublicKey } from '@mtcute/node/utils.js'
// Not exported, but the only place where mtcute looks for server keys.
import { __publicKeyIndex as serverKeys } from './node_modules/@mtcute/core/tl/binary/rsa-keys.js'

export { IntermediatePacketCodec, ObfuscatedPacketCodec, PaddedIntermediatePacketCodec } from '@mtcute/node'

// mtcute strips leading zero bytes of auth_key before it hashes it: with the published prime one key in about 199 is
// lost, and it reports the server's right hash as wrong.
export const LOST_KEY = 'Step 4: invalid nonce hash from server'
const DC = 2

function makeTransport(codec) {
  const transport = new TcpTransport()
  transport.packetCodec = codec
  return transport
}

/** Takes the server's key. mtcute looks one up by its fingerprint without leading zeros, but files it with them. */
export function trust(pem) {
  const key = parsePublicKey(new NodeCryptoProvider(), readFileSync(pem, 'utf8'))
  serverKeys[key.fingerprint.replace(/^0+/, '')] = key
  return key.fingerprint
}

/**
 * A client of one server, which says `connection` of itself; `onLostKey` gets the report of a lost key. It tries a few times to
 * connect, or with `reconnects` as it would by itself.
 */
export function makeClient({ host, port, codec, connection = {}, reconnects = false }, onLostKey) {
  const here = { id: DC, ipAddress: host, port, ipv6: host.includes(':') }
  const log = new LogManager('mtcute', new NodePlatform())
  log.level = Number(process.env.MTCUTE_LOG_LEVEL ?? LogManager.WARN)
  log.handler = (_color, _level, tag, format, values) => {
    const text = [format, ...values.map(String)].join(' ')
    console.error(`${tag}: ${text}`)
    if (text.includes(LOST_KEY)) onLostKey(text.split('\n')[0])
  }
  return new BaseTelegramClient({
    apiId: 1,
    apiHash: '0'.repeat(32),
    storage: new MemoryStorage(),
    transport: makeTransport(codec),
    defaultDcs: { main: here, media: here },
    network: { usePfs: true },
    initConnectionOptions: connection,
    disableUpdates: true,
    logger: log,
    // Once: a server that does not answer is a result, not something to wait for.
    ...(reconnects ? {} : { reconnectionStrategy: ({ consequentFails }) => (consequentFails > 3 ? false : 200) }),
  })
}

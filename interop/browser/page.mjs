// Runs in the page: mtcute with its own WebSocket transport and its own storage, IndexedDB. What it finds out goes to
// `report`, which drive.mjs puts into the page.
import { BaseTelegramClient, WebCryptoProvider, WebSocketTransport } from '@mtcute/web'
import { parsePublicKey } from '@mtcute/web/utils.js'
// Not exported by mtcute, but the only place where it looks for server keys.
import { __publicKeyIndex as serverKeys } from '@mtcute/tl/binary/rsa-keys.js'

const DC = 2

const say = (event, fields = {}) => globalThis.report({ event, ...fields })
const fail = (error) => say('failed', { reason: String(error?.message ?? error) })

// mtcute dials wss://SUBDOMAIN.web.telegram.org; here the same path on the server under test.
function socketTo(address) {
  return class extends WebSocket {
    constructor(url, protocols) {
      super(`ws://${address}${new URL(url).pathname}`, protocols)
    }
  }
}

// mtcute looks a key up by its fingerprint without leading zeros, but files it with them.
function trust(crypto, pem) {
  const key = parsePublicKey(crypto, pem)
  serverKeys[key.fingerprint.replace(/^0+/, '')] = key
  return key.fingerprint
}

async function main({ address, pem }) {
  const crypto = new WebCryptoProvider({ wasmInput: '/mtcute.wasm' })
  await crypto.initialize()
  await say('trusted', { fingerprint: trust(crypto, pem) })
  const [ipAddress, port] = address.split(':')
  const here = { id: DC, ipAddress, port: Number(port) }
  const client = new BaseTelegramClient({
    apiId: 1,
    apiHash: '0'.repeat(32),
    storage: 'dayfly',
    crypto,
    transport: new WebSocketTransport({ ws: socketTo(address) }),
    defaultDcs: { main: here, media: here },
    network: { usePfs: true },
    disableUpdates: true,
    // Once: a server that does not answer is a result, not something to wait for.
    reconnectionStrategy: ({ consequentFails }) => (consequentFails > 3 ? false : 200),
  })
  client.onError.add(fail)
  client.onConnectionState.add((state) => say('state', { state }))

  const config = await client.call({ _: 'help.getConfig' })
  await say('result', { method: 'help.getConfig', dc: config.thisDc, dcOptions: config.dcOptions.length })
  const nearest = await client.call({ _: 'help.getNearestDc' })
  await say('result', { method: 'help.getNearestDc', dc: nearest.thisDc, nearest: nearest.nearestDc })
  await say('done')
}

main(globalThis.settings).catch(fail)

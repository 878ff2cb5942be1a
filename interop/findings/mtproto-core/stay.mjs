// usage: node stay.mjs HOST:PORT PUBLIC-KEY.pem
//
// @mtproto/core with its own defaults, for `dayfly check client`: it calls help.getConfig and help.getNearestDc in turn, each again
// until it is answered, and never ends by itself.
import { createHash, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import MTProto from '@mtproto/core/envs/node/index.js'
import Serializer from '@mtproto/core/src/tl/serializer/index.js'

const DC = 2
const METHODS = ['help.getConfig', 'help.getNearestDc']
const BREATH = 100 // milliseconds

/** The key as @mtproto/core keeps its own: in hex, by its fingerprint in the form in which it looks one up. */
function keyTable(pem) {
  const jwk = createPublicKey(readFileSync(pem, 'utf8')).export({ format: 'jwk' })
  const [n, e] = [jwk.n, jwk.e].map((text) => Buffer.from(text, 'base64url'))
  const serializer = new Serializer(function () {
    this.bytes(n)
    this.bytes(e)
  })
  const fingerprint = createHash('sha1').update(serializer.getBytes()).digest().readBigUInt64LE(12)
  return { [fingerprint.toString(16)]: { modulus: n.toString('hex'), exponent: e.toString('hex') } }
}

async function main([address, pem]) {
  const [, ip, port] = /^(.+):(\d+)$/.exec(address)
  const kept = new Map()
  const instance = { get: (key) => kept.get(key) ?? null, set: (key, value) => kept.set(key, value) }
  const client = new MTProto({ api_id: 1, api_hash: '0'.repeat(32), storageOptions: { instance } })
  client.dcList = [{ id: DC, ip, port: Number(port) }]
  const table = keyTable(pem)
  client.crypto.rsa.getPublisKeysByHex = async () => table
  for (let turn = 0; ; ) {
    try {
      await client.call(METHODS[turn % METHODS.length])
      turn += 1
    } catch (error) {
      console.error(error)
    }
    await pause(BREATH)
  }
}

await main(process.argv.slice(2))

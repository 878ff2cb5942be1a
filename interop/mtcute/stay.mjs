// usage: node stay.mjs HOST:PORT PUBLIC-KEY.pem
//
// mtcute with forward secrecy and its own defaults for all else, for `dayfly check client`: it calls help.getConfig and
// help.getNearestDc in turn, each again until it is answered, and never ends by itself.
import { setTimeout as pause } from 'node:timers/promises'
import { IntermediatePacketCodec, makeClient, trust } from './client.mjs'

const METHODS = ['help.getConfig', 'help.getNearestDc']
const BREATH = 100 // milliseconds

async function main([address, pem]) {
  const [, host, port] = /^(.+):(\d+)$/.exec(address)
  trust(pem)
  const codec = () => new IntermediatePacketCodec()
  const client = makeClient({ host, port: Number(port), codec, reconnects: true }, () => {})
  client.onError.add((error) => console.error(error))
  for (let turn = 0; ; ) {
    try {
      await client.call({ _: METHODS[turn % METHODS.length] })
      turn += 1
    } catch (error) {
      console.error(String(error))
    }
    await pause(BREATH)
  }
}

await main(process.argv.slice(2))

// usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem ADMIN-URL TOKEN-FILE EVENT-LOG [SCREENSHOT.png]
//
// Opens the admin page of a running server in headless Chromium while clients are connected, a key exchange is held open and
// queries are refused: logs in, reads what the page shows, with a script and without, and revokes a key, whose client must get
// -404. Exit code 0: all was as it should be; 1: it was not, the last line says why; 2: wrong usage; 3: mtcute lost a key (see
// client.mjs of mtcute), which says nothing about the server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import {
  IntermediatePacketCodec,
  LOST_KEY,
  ObfuscatedPacketCodec,
  PaddedIntermediatePacketCodec,
  makeClient,
  trust,
} from '../mtcute/client.mjs'

const SECONDS = 80
const SCRIPT = "<script>document.title='owned'</script>"
const CLIENTS = [
  { codec: () => new IntermediatePacketCodec(), connection: { deviceModel: 'Pixel 9', systemVersion: 'Android 16', appVersion: '11.4' } },
  { codec: () => new ObfuscatedPacketCodec(new PaddedIntermediatePacketCodec()), connection: { deviceModel: SCRIPT } },
  { codec: () => new ObfuscatedPacketCodec(new IntermediatePacketCodec()), connection: { deviceModel: 'ThinkPad X1', systemVersion: 'Debian 12', appVersion: '5.9' } },
]

const say = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }))

function end(code, event, fields) {
  say(event, fields)
  process.exit(code)
}

const fail = (reason) => end(reason.includes(LOST_KEY) ? 3 : 1, 'failed', { reason })

/** A plain message over intermediate, its first one after the tag. */
function plain(body) {
  const frame = Buffer.alloc(28)
  frame.writeUInt32LE(0xeeeeeeee, 0)
  frame.writeUInt32LE(20 + body.length, 4)
  frame.writeUInt32LE(body.length, 24)
  return Buffer.concat([frame, body])
}

/** Sends bytes over a connection of their own, and gives it and the first that comes back. */
async function ask({ host, port }, bytes) {
  const socket = net.connect(port, host)
  socket.on('error', () => {})
  socket.write(bytes)
  const [answer] = await once(socket, 'data')
  return { socket, answer }
}

/** Begins a key exchange, and goes no further. */
async function holdHandshake(server, number) {
  const query = Buffer.alloc(20, number)
  query.writeUInt32LE(0xbe7e8ef1, 0)
  const { socket, answer } = await ask(server, plain(query))
  assert.equal(answer.readUInt32LE(24), 0x05162463, 'resPQ')
  return socket
}

/** Sends what is no query of the key exchange. */
async function beRefused(server, bytes) {
  const { socket, answer } = await ask(server, bytes)
  assert.equal(answer.readInt32LE(4), -404)
  socket.destroy()
}

async function connectClients(server, pem) {
  trust(pem)
  const clients = CLIENTS.map((settings) => makeClient({ ...server, ...settings }, fail))
  for (const client of clients) {
    await client.call({ _: 'help.getConfig' })
    // mtcute lets the connection of a client that is quiet run out. A call fails once the client's key is revoked.
    setInterval(() => client.call({ _: 'help.getNearestDc' }).catch(() => {}), 1000)
  }
}

/** A page on which every complaint of the browser is an end of the run: a policy that is broken, a script that failed. */
async function open(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, ...options })
  const page = await context.newPage()
  page.on('pageerror', (error) => fail(`the page failed: ${error}`))
  page.on('console', (message) => message.type() === 'error' && fail(`the browser complains: ${message.text()}`))
  page.on('dialog', () => fail('a script of a client ran'))
  return page
}

async function logIn(page, url, token) {
  await page.goto(url)
  assert.equal(new URL(page.url()).pathname, '/login')
  await page.getByLabel('Admin token').fill(token)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

/** What is on the first page, and that it renews itself. */
async function readOverview(page, server) {
  const handshakes = page.locator('section', { hasText: 'Key exchanges under way' })
  const refusals = page.locator('section', { hasText: 'Last refusals' })
  assert.equal(await handshakes.getByText('req_DH_params').count(), 2, 'two key exchanges are held open')
  await refusals.getByText('HS-34: the query is none of the key exchange').first().waitFor()
  await refusals.getByText('-404: there is no such key').waitFor()
  await page.evaluate(() => { window.notLoadedAgain = true })
  const third = await holdHandshake(server, 3)
  await handshakes.getByText('req_DH_params').nth(2).waitFor()
  assert.equal(await page.evaluate(() => window.notLoadedAgain), true)
  return third
}

async function readConnections(page, url) {
  await page.goto(new URL('/connections', url).href)
  await page.getByText('Pixel 9, Android 16').waitFor()
  await page.getByText(SCRIPT).waitFor()
  assert.equal(await page.title(), 'Connections · dayfly')
}

/** Revokes the key of the client with this model, by the page alone, and gives the key's id. */
async function revoke(page, model) {
  const row = page.getByRole('row', { name: model })
  const id = await row.getByRole('link').innerText()
  await row.getByRole('link').click()
  await page.getByRole('heading', { name: `Key ${id}` }).waitFor()
  await page.getByRole('button', { name: 'Revoke this key' }).click()
  await page.getByRole('status').getByText('is revoked').waitFor()
  assert.equal(await page.getByRole('link', { name: id }).count(), 0, 'a revoked key is not listed')
  return id
}

/** Waits until the event log has what `wanted` looks for. */
async function logged(path, wanted, what) {
  say('waiting', { what })
  for (;;) {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
    const found = lines.map((line) => JSON.parse(line)).find(wanted)
    if (found) return found
    await sleep(50)
  }
}

/** The page of a browser that runs no script shows the same. */
async function readWithoutScript(browser, url, token) {
  const page = await open(browser, { javaScriptEnabled: false, colorScheme: 'dark' })
  await logIn(page, url, token)
  await page.getByText('req_DH_params').first().waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Admin token').waitFor()
}

async function main([address, pem, url, tokenFile, log, screenshot]) {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address ?? '') ?? []
  if (!port || !log) {
    console.error('usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem ADMIN-URL TOKEN-FILE EVENT-LOG [SCREENSHOT.png]')
    process.exit(2)
  }
  setTimeout(() => fail(`no result within ${SECONDS} s`), SECONDS * 1000)
  const server = { host, port: Number(port) }
  const token = readFileSync(tokenFile, 'utf8').trim()
  await connectClients(server, pem)
  await holdHandshake(server, 1)
  await beRefused(server, plain(Buffer.from([1, 2, 3, 4])))
  await holdHandshake(server, 2)
  await beRefused(server, Buffer.concat([Buffer.from('eeeeeeee58000000', 'hex'), Buffer.alloc(88, 0x77)]))
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  const page = await open(browser)
  await logIn(page, url, token)
  const third = await readOverview(page, server)
  say('overview')
  if (screenshot) await page.screenshot({ path: screenshot })
  await readConnections(page, url)
  say('connections')
  const id = await revoke(page, 'Pixel 9')
  const ended = await logged(log, (e) => e.event === 'key_ended' && e.reason === 'revoked', 'the end of the key')
  await logged(log, (e) => e.event === 'transport_error' && e.code === -404 && e.reason === 'the key has ended', '-404')
  say('revoked', { perm: id, ended: ended.key_id })
  await readWithoutScript(browser, url, token)
  third.destroy()
  await browser.close()
  end(0, 'done')
}

main(process.argv.slice(2)).catch((error) => fail(String(error?.stack ?? error)))

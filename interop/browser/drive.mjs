// usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [websocket [SECONDS]]
//
// Opens a page in headless Chromium, served from loopback, in which mtcute connects to one server over WebSocket with its
// forward secrecy on: it makes a permanent and a temporary key, binds them, and calls help.getConfig and help.getNearestDc.
// One JSON object a line on stdout. CHROMIUM names the browser, /usr/bin/chromium by default. Exit code 0: both calls were
// answered; 1: they were not, the last line says why; 2: wrong usage; 3: mtcute made a key that begins with a zero byte and
// lost it (see KNOWN_FLAW), which says nothing about the server.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

// mtcute strips leading zero bytes of auth_key before it hashes it: with the published prime one key in about 199 is
// lost, and it reports the server's right hash as wrong.
const KNOWN_FLAW = 'Step 4: invalid nonce hash from server'
const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium'
// Nothing of the browser's own goes anywhere; as root it has no sandbox.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

// The icon keeps the browser from asking for one.
const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<script>settings = SETTINGS</script>
<script type="module" src="/page.js"></script>`

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const say = (told) => console.log(JSON.stringify(told))

function parseArguments([address, pem, transport = 'websocket', seconds = '60']) {
  if (!/^[\d.]+:\d+$/.test(address ?? '') || !pem || transport !== 'websocket' || !(Number(seconds) > 0)) {
    console.error('usage: node drive.mjs HOST:PORT PUBLIC-KEY.pem [websocket [SECONDS]]')
    process.exit(2)
  }
  return { address, pem: readFileSync(pem, 'utf8'), seconds: Number(seconds) }
}

async function bundle() {
  const options = { bundle: true, format: 'esm', write: false, logLevel: 'silent' }
  const { outputFiles } = await build({ ...options, entryPoints: [here('page.mjs')] })
  return outputFiles[0].contents
}

/** Serves the page on a free port of loopback; gives its address. */
async function serve({ address, pem }) {
  const files = {
    '/': ['text/html', PAGE.replace('SETTINGS', () => JSON.stringify({ address, pem }))],
    '/page.js': ['text/javascript', await bundle()],
    '/mtcute.wasm': ['application/wasm', readFileSync(here('node_modules/@mtcute/wasm/mtcute.wasm'))],
  }
  const server = createServer(({ url }, response) => {
    const [type, body] = files[url] ?? ['text/plain', '']
    response.writeHead(url in files ? 200 : 404, { 'content-type': type }).end(body)
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${server.address().port}/`
}

/** Opens the page and gives its last word: `done`, or why it failed. */
async function visit(browser, url) {
  const page = await browser.newPage()
  return new Promise((resolve, reject) => {
    const fail = (reason) => resolve({ event: 'failed', reason })
    page.on('crash', () => fail('the page crashed'))
    page.on('pageerror', (error) => fail(String(error)))
    page.on('console', (message) => {
      const text = message.text()
      console.error(text)
      if (text.includes(KNOWN_FLAW)) fail(KNOWN_FLAW)
    })
    const report = (told) => (['done', 'failed'].includes(told.event) ? resolve(told) : say(told))
    page.exposeFunction('report', report).then(() => page.goto(url)).catch(reject)
  })
}

async function main() {
  const settings = parseArguments(process.argv.slice(2))
  const late = { event: 'failed', reason: `no result within ${settings.seconds} s` }
  const timer = new Promise((resolve) => setTimeout(resolve, settings.seconds * 1000, late))
  // A profile of its own, in a folder that goes away with it.
  const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS })
  say({ event: 'browser', version: browser.version() })
  const last = await Promise.race([visit(browser, await serve(settings)), timer])
  await browser.close()
  return last
}

const last = await main().catch((error) => ({ event: 'failed', reason: String(error?.message ?? error) }))
say(last)
process.exit(last.event === 'done' ? 0 : last.reason.includes(KNOWN_FLAW) ? 3 : 1)

// Shows which bytes a field stands in, and renews the list of runs. Without a script everything can be read all the same.
const EVERY = 2000

function mark(event) {
  const field = event.target.closest('[data-field]')
  const part = field?.closest('.part')
  document.querySelectorAll('.marked').forEach((element) => element.classList.remove('marked'))
  if (!part) return
  const same = part.querySelectorAll(`[data-field="${field.dataset.field}"]`)
  same.forEach((element) => element.classList.add('marked'))
}

async function renew(main) {
  const answer = await fetch(location.href, { redirect: 'error' })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]')
  const busy = main.contains(document.activeElement) || !document.getSelection().isCollapsed
  if (next && !busy && next.innerHTML !== main.innerHTML) main.replaceChildren(...next.childNodes)
}

async function live(main) {
  try {
    if (!document.hidden) await renew(main)
    document.body.removeAttribute('data-stale')
  } catch {
    document.body.setAttribute('data-stale', '')
  }
  setTimeout(() => live(main), EVERY)
}

for (const kind of ['click', 'focusin', 'mouseover']) document.addEventListener(kind, mark)
const main = document.querySelector('[data-live]')
if (main) setTimeout(() => live(main), EVERY)

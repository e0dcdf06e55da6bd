// dom.js - small help with elements and with words.
export const $ = (id) => document.getElementById(id)

export function element(tag, text, className = '') {
  const made = document.createElement(tag)
  made.textContent = text
  made.className = className
  return made
}

export function button(text, onclick, label) {
  const made = element('button', text, 'plain')
  made.type = 'button'
  made.onclick = onclick
  if (label) made.setAttribute('aria-label', label)
  return made
}

export function facts(id, pairs) {
  $(id).replaceChildren(...Object.entries(pairs).filter(([, v]) => v).flatMap(([k, v]) => [element('dt', k), element('dd', v)]))
}

/** What a screen reader says, and what everybody reads below the header. */
export function say(text, bad = false) {
  $('status').textContent = text
  $('status').className = bad ? 'bad' : ''
}

/** For screen readers alone: what others see happen. */
export const announce = (text) => ($('announce').textContent = text)

// Names of files keep their first letter.
export const sentence = (text) => (/^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text) + (/[.!?]$/.test(text) ? '' : '.')
export const megabytes = (n) => (n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`)
export const duration = (s) => (s < 90 ? `${Math.ceil(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`)
export const nameOf = (url) => decodeURIComponent(new URL(url, location.href).pathname.split('/').pop())

/** Offers `text` as a file. */
export function download(name, type, text) {
  const link = element('a', '')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

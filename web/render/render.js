// render.js - an answer's Markdown and maths as elements of the page.
//
// marked finds the structure, Temml turns TeX into MathML, and every element is made here, by name, with its words as text: no HTML is ever parsed, so
// what a model writes cannot become script, style or a request. Images are not fetched; they and links show where they lead. Bundled by build.sh, Temml
// in a file of its own that the first formula asks for: to read it holds a page's thread, and most answers have no formula.
import { Lexer, Marked } from 'marked'
import 'temml/dist/Temml-Local.css'

// $$...$$ and \[...\]; $...$ as Pandoc reads it (no blank inside the dollars, no digit behind them) and \(...\).
const DISPLAY = /^(?:\$\$([^]+?)\$\$|\\\[([^]+?)\\\])/
const INLINE = /^(?:\$(?![\s$])((?:\\[^]|[^$\\\n])*?[^\s\\$])\$(?!\d)|\\\(([^]+?)\\\))/
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00a0' }

const maths = (name, level, rule, start, display) => ({
  name,
  level,
  start: (text) => text.search(start),
  tokenizer(text) {
    const found = rule.exec(text)
    if (found) return { type: 'maths', raw: found[0], tex: (found[1] ?? found[2]).trim(), display }
  },
})
// A formula between paragraphs has its own lines; `start` is where a paragraph may be cut for it.
const BLOCK = new RegExp(DISPLAY.source + '[ \\t]*(?=\\n|$)')
const marked = new Marked({
  gfm: true,
  extensions: [maths('block', 'block', BLOCK, /\n(?:\$\$|\\\[)/, true), maths('display', 'inline', DISPLAY, /\$\$|\\\[/, true), maths('inline', 'inline', INLINE, /\$|\\\(/, false)],
})

const DEEPEST = 32 // blocks in blocks, and as many emphases in emphases; what is deeper stays as it was written

// The lexer calls itself for what is nested, with the whole rest of the text each time: without a bound a model ends in "too much recursion", or in minutes.
class BoundedLexer extends Lexer {
  depth = { block: 0, inline: 0 }

  #nested(kind, src, tokens, work) {
    if (this.depth[kind] >= DEEPEST) {
      tokens.push({ type: 'text', raw: src, text: src })
      return tokens
    }
    this.depth[kind]++
    try {
      return work()
    } finally {
      this.depth[kind]--
    }
  }

  blockTokens(src, tokens = [], clipped = false) {
    return this.#nested('block', src, tokens, () => super.blockTokens(src, tokens, clipped))
  }

  inlineTokens(src, tokens = []) {
    return this.#nested('inline', src, tokens, () => super.inlineTokens(src, tokens))
  }
}

/** Shows `text` in `place`, as plain text where its Markdown cannot be read: an answer is never lost. */
export function render(place, text) {
  try {
    update(place, text)
  } catch {
    place.replaceChildren(element('p', [text], { class: 'plain' }))
  }
}

// Called again with more text it changes the end only, so that a selection or a screen reader's place stays.
function update(place, text) {
  const tokens = new BoundedLexer(marked.defaults).lex(text).filter(({ type }) => type !== 'space' && type !== 'def')
  tokens.forEach((token, i) => {
    const there = place.children[i]
    if (there?.source === token.raw) return
    const made = make(token)
    made.source = token.raw
    if (there) there.replaceWith(made)
    else place.append(made)
  })
  while (place.children.length > tokens.length) place.lastChild.remove()
}

function element(name, children = [], attributes = {}) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

const all = (tokens) => tokens.map(make)
const words = (text) => text.replace(/&(?:(amp|lt|gt|quot|nbsp)|#(\d{1,7}));/g, (whole, name, number) => (name ? ENTITIES[name] : number < 0x110000 ? String.fromCodePoint(number) : whole))

const MAKERS = {
  paragraph: (t) => element('p', all(t.tokens)),
  blockquote: (t) => element('blockquote', all(t.tokens)),
  heading: (t) => element('p', all(t.tokens), { class: 'heading', role: 'heading', 'aria-level': Math.min(6, t.depth + 2) }), // below the page's own
  code: (t) => element('pre', [element('code', [t.text])], { tabindex: 0, 'aria-label': t.lang ? `Code, ${t.lang}` : 'Code', role: 'group' }),
  list: (t) => element(t.ordered ? 'ol' : 'ul', all(t.items), t.ordered && t.start !== 1 ? { start: t.start } : {}),
  list_item: (t) => element('li', all(t.tokens)),
  checkbox: (t) => document.createTextNode(t.checked ? '☑ ' : '☐ '),
  table: (t) => element('div', [element('table', [element('thead', [row(t.header, 'th')]), element('tbody', t.rows.map((cells) => row(cells, 'td')))])], { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Table' }),
  hr: () => element('hr'),
  br: () => element('br'),
  strong: (t) => element('strong', all(t.tokens)),
  em: (t) => element('em', all(t.tokens)),
  del: (t) => element('del', all(t.tokens)),
  codespan: (t) => element('code', [t.text]),
  link: (t) => (/^(https?|mailto):/i.test(t.href) ? element('a', all(t.tokens), { href: t.href, target: '_blank', rel: 'noopener noreferrer' }) : element('span', [...all(t.tokens), ` (${t.href})`])),
  image: (t) => element('span', [`[${t.text || 'image'}: ${t.href}]`]),
  maths: (t) => formula(t),
  text: (t) => (t.tokens ? element('span', all(t.tokens)) : document.createTextNode(words(t.text))),
}

// What has no maker, HTML among it, is shown as it was written.
const make = (token) => MAKERS[token.type]?.(token) ?? (token.block ? element('p', [token.raw]) : document.createTextNode(token.text ?? token.raw))

function row(cells, kind) {
  return element('tr', cells.map((cell) => {
    const made = element(kind, all(cell.tokens), kind === 'th' ? { scope: 'col' } : {})
    if (cell.align) made.style.textAlign = cell.align
    return made
  }))
}

let temml // once a formula was met: the module, or a promise of it

function formula({ tex, raw, display }) {
  const made = element('span', [element('code', [raw])], display ? { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'Formula' } : {})
  const draw = () => {
    try {
      temml.render(tex, made, { displayMode: display, throwOnError: true, trust: false, maxExpand: 500, maxSize: [50, 50] })
    } catch {
      made.replaceChildren(element('code', [raw])) // half a formula, while it is being written, or what Temml does not know, or no Temml
    }
  }
  temml ??= import('temml').then((module) => (temml = module.default), () => (temml = undefined)) // the next formula tries again
  if (temml.render) draw()
  else temml.then(draw)
  return made
}

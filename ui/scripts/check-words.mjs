// No string outside the catalogues: JSX text, the attributes people read, and any Chinese outside src/words.
// Also: each row has both languages with the same placeholders, and each key is used.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const READ = new Set(['title', 'placeholder', 'label', 'aria-label', 'alt', 'words', 'extra', 'message', 'help', 'okText', 'cancelText', 'description', 'addonAfter'])
const ALLOWED = /^[\s\d\p{P}\p{S}\u202f]*$|^(Ctrl K|N|F|R|S|C|E|U|Enter|s|ms|PTZ|SIP|WebSocket|Safecity|rtsps?:\/\/|DEL|UTC|<1 s|\/s|×)$/u
const faults = []

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((each) => {
    const path = join(folder, each.name)
    return each.isDirectory() ? files(path) : /\.tsx?$/.test(each.name) && !each.name.includes('.test.') ? [path] : []
  })
}

function look(path, source) {
  const tree = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true, path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS)
  const complain = (node, text) => faults.push(`${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}: "${text.trim()}" is not in the catalogue`)
  const walk = (node) => {
    if (ts.isJsxText(node) && !node.text.split(/\s+/).every((word) => ALLOWED.test(word)) && !ALLOWED.test(node.text.trim())) complain(node, node.text)
    if (ts.isJsxAttribute(node) && READ.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer) && !ALLOWED.test(node.initializer.text)) complain(node, node.initializer.text)
    if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteral(node.expression) && ts.isJsxElement(node.parent) && !ALLOWED.test(node.expression.text)) complain(node, node.expression.text)
    if ((ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) && /\p{Script=Han}/u.test(node.text)) complain(node, node.text)
    ts.forEachChild(node, walk)
  }
  walk(tree)
}

const rows = new Map()
let used = ''
for (const path of files('src')) {
  const source = readFileSync(path, 'utf8')
  if (!path.startsWith(join('src', 'words'))) {
    used += source
    look(path, source)
    continue
  }
  for (const [, key, en, zh] of source.matchAll(/^ {2}'([\w.]+)': \[\s*('(?:[^'\\]|\\.)*'),\s*('(?:[^'\\]|\\.)*'),?\s*\],/gms)) {
    if (rows.has(key)) faults.push(`${path}: ${key} stands twice`)
    rows.set(key, [en, zh])
    const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort().join()
    if (names(en) !== names(zh)) faults.push(`${path}: ${key} has other placeholders in the two languages`)
    if (en.length < 3 || zh.length < 3) faults.push(`${path}: ${key} is empty in one language`)
  }
}
// Families that are looked up by a code of the server.
const FAMILIES = /^(state|step|problem|cause|level|role|outcome|alarm\.(state|priority)|live\.ptz\.aux|action|offer|config|menu|export\.state|device\.kind|tollgate\.direction|purpose|passage\.(source|body|doubt)|colour|subscription\.state|watch\.(state|try)|hit\.(state|result)|channel\.mode|settings\.clock|wizard\.(address\.kind|ports\.name|clock\.hint)|device\.transport|traffic\.(level|dropped|demo)|closure|violation\.(kind|state|light|source|reason|lacks|passed)|section|scene\.(tool|how|turn)|exemption\.duty|case\.(state|entry|result|stock|what|found)|fleet\.(shape|pick|day|say|through)|vehicle\.place|sign\.state|toll\.(crossing|shape|bearing)|tow\.(reason|state|say)|taken\.(kind|cause)|dayKind|counts\.kind|incident|audit\.why|vehicle\.class|plate\.class|library\.(detail|state))\./
for (const key of rows.keys()) if (!FAMILIES.test(key) && !used.includes(`'${key}'`)) faults.push(`src/words: ${key} is used nowhere`)
for (const [, key] of used.matchAll(/\bt\(\s*'([\w.]+)'/g)) if (!rows.has(key)) faults.push(`src/words: ${key} is missing`)

if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
console.log(`${rows.size} rows, both languages complete`)

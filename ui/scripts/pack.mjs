// After the build: every text beside itself as Brotli and gzip, so that nothing is compressed while somebody waits.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const TEXT = new Set(['.js', '.css', '.svg', '.json', '.webmanifest'])
const LEAST = 1024
const dist = new URL('../dist', import.meta.url).pathname

let files = 0
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name)
  if (!TEXT.has(extname(path)) || statSync(path).size < LEAST) continue
  const text = readFileSync(path)
  writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }))
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }))
  files += 1
}
console.log(`${files} files packed`)

import { download } from '../api/client'

/** A package of confirmed violations, saved by the browser. */
export async function takeOut(violations: string[]): Promise<void> {
  const { name, file } = await download('violations/package', { body: { violations, reason: '' } })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name || 'violations.zip'
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

import { download } from '../api/client'
import { saveBlob } from '../parts/save'

/** A package of confirmed violations, saved by the browser. */
export async function takeOut(violations: string[], reason: string): Promise<void> {
  const { name, file } = await download('violations/package', { body: { violations, reason } })
  saveBlob(file, name || 'violations.zip')
}

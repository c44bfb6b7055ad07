/** A file for the user, saved by the browser under a name that every system takes. */
export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name.replace(/[/\\?%*:|"<>]/g, '_')
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
